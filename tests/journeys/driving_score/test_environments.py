"""The driving score in two environments: deployed, loaded, driven and reported."""

import json
import os
import re
import shutil
import sys
import xml.dom.minidom
from pathlib import Path

import pytest
from tests.clients.conftest import ROOT, outputs_of

APPLICATION = ROOT / "apps" / "driving-score"
RECORDS = 300
BATCH = 25


@pytest.fixture
def scores(cloud, tmp_path):
    """A copy of the application; afterwards the account's role for logs is as it was."""
    copy = tmp_path / "driving-score"
    ignored = shutil.ignore_patterns(".cumulet", ".aws-sam", "__pycache__")
    shutil.copytree(APPLICATION, copy, ignore=ignored)
    gateway = cloud.client("apigateway")
    before = gateway.get_account().get("cloudwatchRoleArn", "")
    yield copy
    change = {"op": "replace", "path": "/cloudwatchRoleArn", "value": before}
    gateway.update_account(patchOperations=[change])


def deploy(run, cloud, scores, stack, environment, *more):
    words = (sys.executable, "-m", "cumulet", "deploy", scores, "--data", cloud.data)
    run(*words, "--stack-name", stack, "--parameter", f"Environment={environment}", *more)
    return outputs_of(cloud, stack)


def load(run, cloud, scores, table, count=RECORDS, first=0):
    """Generate records as DynamoDB's own import has them, and write them in batches."""
    words = (sys.executable, scores / "generate.py", "--format", "dynamodb")
    done = run(*words, "--first", first, "--count", count)
    items = [json.loads(line)["Item"] for line in done.stdout.splitlines()]
    client = cloud.client("dynamodb")
    for at in range(0, len(items), BATCH):
        puts = [{"PutRequest": {"Item": item}} for item in items[at : at + BATCH]]
        answer = client.batch_write_item(RequestItems={table: puts})
        assert not answer["UnprocessedItems"]
    return items


def count(cloud, table):
    return cloud.client("dynamodb").scan(TableName=table, Select="COUNT")["Count"]


def drive(run, scores, found):
    named = {
        "URL": found["Url"],
        "API_KEY_ID": found["ApiKeyId"],
        "ACCESS_LOG": found["AccessLogName"],
    }
    run(sys.executable, "-W", "error", scores / "test_app.py", folder=scores, **named)


def report(run, scores, *words):
    """The report's text, and the cells of its table below their headings."""
    text = run(sys.executable, scores / "service_level.py", *words).stdout
    lines = text.split("\n\n")[1].splitlines()
    cells = [re.split(r" {2,}", line.strip()) for line in lines]
    rows = [dict(zip(cells[0], row, strict=True)) for row in cells[1:]]
    return text, {row["method"]: row for row in rows}


def remove(cloud, stack):
    client = cloud.client("cloudformation")
    client.delete_stack(StackName=stack)
    waiting = {"Delay": 1, "MaxAttempts": 60}
    client.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig=waiting)


def import_all(run, cloud, table, files):
    words = (sys.executable, "-m", "cumulet", "import", table, *files, "--data", cloud.data)
    return json.loads(run(*words, "--json").stdout)


def generate_files(run, scores, folder):
    """Two files as the README makes them: the first records, and those after them."""
    files = [folder / "some.jsonl.gz", folder / "more.csv"]
    for first, file, form in ((0, files[0], "json"), (RECORDS, files[1], "csv")):
        words = (sys.executable, scores / "generate.py", "--first", first, "--count", RECORDS)
        run(*words, "--format", form, "--output", file)
    return files


def test_two_environments_share_nothing_and_hold_the_service_level(run, cloud, scores, tmp_path):
    svil = deploy(run, cloud, scores, "scores-svil", "svil")
    col = deploy(run, cloud, scores, "scores-col", "col")
    assert not set(svil.values()) & set(col.values())
    load(run, cloud, scores, svil["TableName"])
    assert (count(cloud, svil["TableName"]), count(cloud, col["TableName"])) == (RECORDS, 0)
    files = generate_files(run, scores, tmp_path)
    assert import_all(run, cloud, svil["TableName"], files)["rows"] == 2 * RECORDS
    assert import_all(run, cloud, svil["TableName"], files)["imported"] == 0
    assert (count(cloud, svil["TableName"]), count(cloud, col["TableName"])) == (2 * RECORDS, 0)
    drive(run, scores, svil)
    keys = [key_of(cloud, found) for found in (svil, col)]
    told = [told_of(run, scores, svil, keys[0], index) for index in (1, RECORDS + 1)]
    assert [one["components"].keys() for one in told] == [told[0]["components"].keys()] * 2
    url = f"/{told[0]['id']}"
    assert [status(run, found["Url"] + url, keys[0]) for found in (svil, col)] == ["200", "403"]
    assert status(run, col["Url"] + url, keys[1]) == "404"

    chart = tmp_path / "chart.svg"
    text, rows = report(run, scores, "--log", svil["AccessLogName"], "--svg", chart)
    read = rows["GET /scores/{id}"]
    assert number(read["calls"]) > number(read["4xx"]) > 0
    assert (read["stage"], read["5xx"]) == ("svil", "0")
    assert 0 <= number(read["p50 ms"]) <= number(read["p99.8 ms"])
    assert rows["(no such method)"]["calls"] == "3"
    assert "aim: 99.8% of the answers within 1,000 ms" in text
    xml.dom.minidom.parse(str(chart))
    # The metrics know of the same calls: those that had a method.
    _, measured = report_when(run, scores, "driving-score-svil", read["calls"])
    assert {name: read[name] for name in ("stage", "calls", "4xx", "5xx")} == {
        name: measured["GET /scores/{id}"][name] for name in ("stage", "calls", "4xx", "5xx")
    }
    for stack in ("scores-svil", "scores-col"):
        remove(cloud, stack)


def report_when(run, scores, api, calls):
    """The report from metrics, once they tell of so many calls: they are written in turns."""
    for _ in range(100):
        done = run(sys.executable, scores / "service_level.py", "--api", api)
        if re.search(rf"GET /scores/\{{id\}} +{calls} ", done.stdout):
            break
    return report(run, scores, "--api", api)


def key_of(cloud, found):
    client = cloud.client("apigateway")
    return client.get_api_key(apiKey=found["ApiKeyId"], includeValue=True)["value"]


def number(cell):
    return int(cell.replace(",", ""))


def told_of(run, scores, found, key, index):
    """What the API tells of a record, which is what was generated, from whatever file it came."""
    words = (sys.executable, scores / "generate.py", "--first", index, "--count", 1)
    record = json.loads(run(*words).stdout)
    asking = ("curl", "-s", "--fail", "--retry", "5", "-H", f"x-api-key: {key}")
    told = json.loads(run(*asking, f"{found['Url']}/{record['id']}").stdout)
    assert {**told, **told["components"]} == {**record, "components": told["components"]}
    return told


def status(run, url, key):
    # Not to /dev/null, which curl cannot cut off before it tries again.
    words = ("curl", "-s", "-o", "answer", "-w", "%{http_code}", "--retry", "5")
    return run(*words, "-H", f"x-api-key: {key}", url).stdout


def test_logs_go_on_when_another_environment_goes(run, cloud, scores):
    col = deploy(run, cloud, scores, "scores-stays", "col")
    deploy(run, cloud, scores, "scores-goes", "svil")
    remove(cloud, "scores-goes")
    load(run, cloud, scores, col["TableName"], 1)
    drive(run, scores, col)
    remove(cloud, "scores-stays")


def test_production_cannot_be_deleted_with_its_data(run, cloud, scores):
    prod = deploy(run, cloud, scores, "scores-prod", "prod")
    client = cloud.client("dynamodb")
    table = client.describe_table(TableName=prod["TableName"])["Table"]
    assert table["DeletionProtectionEnabled"] is True
    client.update_table(TableName=prod["TableName"], DeletionProtectionEnabled=False)
    remove(cloud, "scores-prod")


def test_sam_deploys_an_environment_by_its_name(run, program, cloud, scores):
    sam = program("sam")
    template = scores / "template.yaml"
    here = f"python3.{sys.version_info.minor}"
    template.write_text(template.read_text().replace("python3.12", here))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    run(sam, "build", folder=scores, PATH=path)
    run(sam, "deploy", "--config-env", "col", "--no-confirm-changeset", folder=scores)
    found = outputs_of(cloud, "driving-score-col")
    load(run, cloud, scores, found["TableName"], 1)
    assert found["Url"].rstrip("/").endswith("/scores")
    drive(run, scores, found)
    remove(cloud, "driving-score-col")
