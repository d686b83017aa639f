"""What the README of the driving score tells people to type, typed as it stands."""

import json
import shutil
import time

from tests.clients.conftest import ROOT, outputs_of
from tests.clients.first_microservice.readme import blocks, shell_in

APPLICATION = ROOT / "apps" / "driving-score"
PATIENCE_SECONDS = 120
STACKS = ("driving-score-svil", "driving-score-col", "driving-score-prod")


def test_each_command_of_the_readme_does_what_it_says(run, program, cloud, tmp_path):
    folder = tmp_path / "driving-score"
    shutil.copytree(APPLICATION, folder, ignore=shutil.ignore_patterns(".cumulet", "__pycache__"))
    found = blocks((folder / "README.md").read_text())
    gateway = cloud.client("apigateway")
    role = gateway.get_account().get("cloudwatchRoleArn", "")

    shell = shell_in(folder, tmp_path / "bin", run, cloud, program("aws"))
    by_command, _ = found["Environments"]
    shell(by_command)
    told = {stack: outputs_of(cloud, stack) for stack in STACKS}
    mine = told["driving-score-svil"]
    named = {
        "URL": mine["Url"],
        "API_KEY_ID": mine["ApiKeyId"],
        "TABLE": mine["TableName"],
        "ACCESS_LOG": mine["AccessLogName"],
    }
    few, at_once, reading = found["Records"]
    shell(few)
    shell(at_once.replace("8000000", "40"))
    assert (folder / "part-2.jsonl.gz").stat().st_size > 0
    shell(reading, **named)
    [asking] = found["Read"]
    assert json.loads(shell(asking, **named))["score"] == 79
    from_log, as_json, from_metrics = found["The month's report"]
    # The access log tells of a call a moment after its answer.
    until = time.monotonic() + PATIENCE_SECONDS
    while "aim: 99.8%" not in (said := shell(from_log, **named)):
        assert time.monotonic() < until, said
    assert (folder / "month.svg").read_text().startswith("<svg")
    report = json.loads(shell(as_json, **named))
    assert (report["from"], report["to"], report["aim"]) == ("2026-01-01", "2035-12-31", 0.998)
    [method] = [one for one in report["methods"] if one["method"] == "GET /scores/{id}"]
    assert (method["stage"], method["serverErrors"]) == ("svil", 0)
    assert method["calls"] == sum(day["calls"] for day in method["days"]) >= 1
    assert set(method["latencyMs"]) == {"p50", "p95", "p99", "p99.8"}
    assert "nobody called" in shell(from_metrics, **named)
    [testing] = found["Test"]
    shell(testing.replace("URL=… API_KEY_ID=… ACCESS_LOG=… ", ""), **named)

    table = told["driving-score-prod"]["TableName"]
    cloud.client("dynamodb").update_table(TableName=table, DeletionProtectionEnabled=False)
    for stack in STACKS:
        cloud.client("cloudformation").delete_stack(StackName=stack)
    change = {"op": "replace", "path": "/cloudwatchRoleArn", "value": role}
    gateway.update_account(patchOperations=[change])
