"""`cumulet invoke`, `logs` and `ls`: a function as its author sees it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import time
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Run

CODE = """
def handler(event, context):
    print("called with", event)
    if event.get("fail"):
        raise ValueError("asked to fail")
    return {"got": event}
"""
LINE_SECONDS_MAX = 60


@pytest.fixture(scope="module")
def function(cloud: Any) -> Iterator[str]:
    name = f"cli-{uuid.uuid4().hex[:8]}"
    iam, lam = cloud.client("iam"), cloud.client("lambda")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": statement})
    may = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(
        RoleName=name,
        PolicyName="logs",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": may}),
    )
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("index.py", CODE)
    lam.create_function(
        FunctionName=name,
        Role=role,
        Runtime="python3.11",
        Handler="index.handler",
        Code={"ZipFile": sink.getvalue()},
    )
    yield name
    lam.delete_function(FunctionName=name)


def test_the_answer_is_data_and_the_log_is_words(cloud: Any, run: Run, function: str) -> None:
    done = run("invoke", function, '{"a": 1}', "--data", cloud.data)
    assert done.code == 0
    assert json.loads(done.out) == {"got": {"a": 1}}
    assert "called with {'a': 1}" in done.err
    assert "REPORT RequestId:" in done.err


def test_a_payload_may_come_from_a_file_or_standard_input_or_be_left_out(
    cloud: Any, run: Run, function: str, tmp_path: Path
) -> None:
    (tmp_path / "event.json").write_text('{"from": "file"}')
    of_file = run("invoke", function, f"@{tmp_path / 'event.json'}", "--data", cloud.data)
    of_stdin = run("invoke", function, "-", "--data", cloud.data, stdin='{"from": "stdin"}')
    left_out = run("invoke", function, "--data", cloud.data)
    assert of_file.json == {"got": {"from": "file"}}
    assert of_stdin.json == {"got": {"from": "stdin"}}
    assert left_out.json == {"got": {}}


@pytest.mark.parametrize("payload", ["{no", "@/does/not/exist"])
def test_a_payload_that_cannot_be_read_is_a_mistake_of_usage(
    cloud: Any, run: Run, function: str, payload: str
) -> None:
    done = run("invoke", function, payload, "--data", cloud.data)
    assert done.code == 2
    assert "Traceback" not in done.err


def test_an_error_of_the_function_is_the_commands(cloud: Any, run: Run, function: str) -> None:
    done = run("invoke", function, '{"fail": true}', "--data", cloud.data)
    assert done.code == 1
    assert done.json["errorMessage"] == "asked to fail"
    assert done.json["errorType"] == "ValueError"


def test_json_holds_everything(cloud: Any, run: Run, function: str) -> None:
    done = run("invoke", function, '{"fail": true}', "--json", "--data", cloud.data)
    assert done.code == 1
    assert done.json["StatusCode"] == 200
    assert done.json["FunctionError"] == "Unhandled"
    assert done.json["ExecutedVersion"] == "$LATEST"
    assert done.json["Payload"]["errorType"] == "ValueError"
    assert "START RequestId:" in done.json["Log"]


def test_an_event_is_taken_and_not_waited_for(cloud: Any, run: Run, function: str) -> None:
    done = run("invoke", function, "{}", "--event", "--json", "--data", cloud.data)
    assert done.code == 0
    assert done.json["StatusCode"] == 202


def test_a_function_that_is_not_there_is_said_in_awss_words(cloud: Any, run: Run) -> None:
    done = run("invoke", "cli-none", "{}", "--data", cloud.data)
    assert done.code == 1
    assert "Function not found: arn:aws:lambda:us-east-1:000000000000:function:cli-none" in done.err


def test_logs_shows_what_a_function_said(cloud: Any, run: Run, function: str) -> None:
    marker = uuid.uuid4().hex
    assert run("invoke", function, json.dumps({"m": marker}), "--data", cloud.data).code == 0
    deadline = time.monotonic() + LINE_SECONDS_MAX
    while time.monotonic() < deadline:
        done = run("logs", function, "--data", cloud.data)
        if marker in done.out:
            break
    assert f"called with {{'m': '{marker}'}}" in done.out
    of_program = run("logs", function, "--json", "--data", cloud.data, "--filter", marker)
    events = [json.loads(line) for line in of_program.lines]
    assert len(events) == 1
    assert marker in events[0]["message"]


def test_logs_finds_the_group_that_a_function_writes_to(
    cloud: Any, run: Run, function: str
) -> None:
    lam, marker = cloud.client("lambda"), uuid.uuid4().hex
    usual = lam.get_function_configuration(FunctionName=function)["LoggingConfig"]["LogGroup"]
    lam.update_function_configuration(
        FunctionName=function, LoggingConfig={"LogGroup": f"group-of-{function}"}
    )
    assert run("invoke", function, json.dumps({"m": marker}), "--data", cloud.data).code == 0
    deadline = time.monotonic() + LINE_SECONDS_MAX
    while time.monotonic() < deadline:
        done = run("logs", function, "--data", cloud.data)
        if marker in done.out:
            break
    assert marker in done.out
    lam.update_function_configuration(FunctionName=function, LoggingConfig={"LogGroup": usual})


def test_logs_follow_shows_a_line_that_comes_later(
    cloud: Any, function: str, run: Run, surroundings: dict[str, str]
) -> None:
    assert run("invoke", function, "{}", "--data", cloud.data).code == 0
    marker = uuid.uuid4().hex
    follower = subprocess.Popen(
        [sys.executable, "-m", "cumulet", "logs", function, "-f", "--data", str(cloud.data)],
        stdout=subprocess.PIPE,
        text=True,
        env={**surroundings, "PYTHONUNBUFFERED": "1"},
    )
    giving_up = threading.Timer(LINE_SECONDS_MAX, follower.kill)
    giving_up.start()
    try:
        assert follower.stdout is not None
        assert follower.stdout.readline()  # It shows what was there, so it follows by now.
        cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps({"m": marker}))
        assert any(marker in line for line in follower.stdout)
    finally:
        giving_up.cancel()
        follower.terminate()
        follower.communicate()


def test_logs_follow_waits_for_a_group_that_appears_with_its_first_line(
    cloud: Any, surroundings: dict[str, str]
) -> None:
    group, logs = f"/cli/{uuid.uuid4().hex}", cloud.client("logs")
    follower = subprocess.Popen(
        [sys.executable, "-m", "cumulet", "logs", group, "-f", "--data", str(cloud.data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**surroundings, "PYTHONUNBUFFERED": "1"},
    )
    giving_up = threading.Timer(LINE_SECONDS_MAX, follower.kill)
    giving_up.start()
    try:
        assert follower.stdout is not None
        assert follower.stderr is not None
        said = follower.stderr.readline()
        assert said == f"{group} has no lines yet; waiting for the first\n"
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="one")
        event = {"timestamp": int(time.time() * 1000), "message": "the first line"}
        logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=[event])
        assert "the first line" in follower.stdout.readline()
    finally:
        giving_up.cancel()
        follower.terminate()
        follower.communicate()


def test_logs_of_nothing_has_a_hint(cloud: Any, run: Run) -> None:
    done = run("logs", "cli-none", "--data", cloud.data)
    assert done.code == 1
    assert "The specified log group does not exist" in done.err
    assert "hint:" in done.err
    assert run("logs", "cli-none", "--since", "soon", "--data", cloud.data).code == 2


def test_ls_lists_what_is_there_with_addresses_that_answer(
    cloud: Any, run: Run, function: str
) -> None:
    lam, gateway, s3 = (cloud.client(name) for name in ("lambda", "apigateway", "s3"))
    lam.create_function_url_config(FunctionName=function, AuthType="NONE")
    api = gateway.create_rest_api(name=function)
    root = gateway.get_resources(restApiId=api["id"])["items"][0]["id"]
    where = {"restApiId": api["id"], "resourceId": root, "httpMethod": "GET"}
    gateway.put_method(**where, authorizationType="NONE")
    gateway.put_integration(
        **where, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
    )
    gateway.create_deployment(restApiId=api["id"], stageName="live")
    s3.create_bucket(Bucket=function)
    found = run("ls", "--json", "--data", cloud.data).json
    [one] = [row for row in found["functions"] if row["function"] == function]
    [front] = [row for row in found["apis"] if row["id"] == api["id"]]
    assert one["url"].startswith(f"{cloud.endpoint}/_lambda-url/")
    assert front["url"] == f"{cloud.endpoint}/restapis/{api['id']}/live/_user_request_/"
    assert function in {row["bucket"] for row in found["buckets"]}
    assert function in {row["role"] for row in found["roles"]}
    for_people = run("ls", "--data", cloud.data)
    assert for_people.code == 0
    assert "FUNCTION" in for_people.out
    assert front["url"] in for_people.out
    gateway.delete_rest_api(restApiId=api["id"])
    s3.delete_bucket(Bucket=function)


def test_ls_of_one_kind_shows_only_that(cloud: Any, run: Run) -> None:
    assert set(run("ls", "buckets", "--json", "--data", cloud.data).json) == {"buckets"}
    assert run("ls", "planets", "--data", cloud.data).code == 2
