"""What the README of the driving score tells people to type, typed as it stands."""

import json
import re
import shutil
import sys
from pathlib import Path

from tests.clients.conftest import ROOT, outputs_of

APPLICATION = ROOT / "apps" / "driving-score"
STACKS = ("driving-score-svil", "driving-score-col", "driving-score-prod")


def blocks(text):
    """The shell blocks below a heading, by heading."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return {name: re.findall(r"```sh\n(.*?)```", body, re.DOTALL) for name, body in pairs}


def test_each_command_of_the_readme_does_what_it_says(run, program, cloud, tmp_path):
    names = tmp_path / "bin"
    names.mkdir()
    (names / "aws").symlink_to(Path(program("aws")))
    (names / "cumulet").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cumulet "$@"\n')
    (names / "cumulet").chmod(0o755)
    folder = tmp_path / "driving-score"
    shutil.copytree(APPLICATION, folder, ignore=shutil.ignore_patterns(".cumulet", "__pycache__"))
    found = blocks((folder / "README.md").read_text())
    gateway = cloud.client("apigateway")
    role = gateway.get_account().get("cloudwatchRoleArn", "")

    def shell(text, **more):
        path = f"{names}:{Path(sys.executable).parent}:/usr/bin:/bin"
        more = {"PATH": path, "CUMULET_DATA": str(cloud.data), **more}
        return run("bash", "-euc", text, folder=folder, **more).stdout

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
    from_log, from_metrics = found["The month's report"]
    assert "aim: 99.8%" in shell(from_log, **named)
    assert (folder / "month.svg").read_text().startswith("<svg")
    assert "nobody called" in shell(from_metrics, **named)
    [testing] = found["Test"]
    shell(testing.replace("URL=… API_KEY_ID=… ACCESS_LOG=… ", ""), **named)

    table = told["driving-score-prod"]["TableName"]
    cloud.client("dynamodb").update_table(TableName=table, DeletionProtectionEnabled=False)
    for stack in STACKS:
        cloud.client("cloudformation").delete_stack(StackName=stack)
    change = {"op": "replace", "path": "/cloudwatchRoleArn", "value": role}
    gateway.update_account(patchOperations=[change])
