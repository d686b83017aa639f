"""Access logs in every form, and execution logs in AWS's lines.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
"""

from __future__ import annotations

import contextlib
import json
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.services.apigateway.pipeline.observe.formats import compile_format

CLF = (
    "$context.identity.sourceIp $context.identity.caller $context.identity.user "
    '[$context.requestTime] "$context.httpMethod $context.resourcePath $context.protocol" '
    "$context.status $context.responseLength $context.requestId $context.extendedRequestId"
)
JSON = json.dumps(
    {
        "id": "$context.requestId",
        "path": "$context.path",
        "agent": "$context.identity.userAgent",
        "status": "$context.status",
        "stage": "$context.stage",
        "api": "$context.apiId",
        "latency": "$context.responseLatency",
        "backend": "$context.integration.status",
        "old": "$context.integrationStatus",
        "backendLatency": "$context.integrationLatency",
        "error": "$context.error.message",
        "kind": "$context.error.responseType",
        "none": "$context.authorizer.principalId",
        "trace": "$context.xrayTraceId",
        "canary": "$context.isCanaryRequest",
    }
)
XML = (
    '<request id="$context.requestId"> <agent>$context.identity.userAgent</agent> '
    "<status>$context.status</status> </request>"
)
CSV = "$context.identity.sourceIp,$context.httpMethod,$context.status,$context.requestId"


@pytest.fixture
def logged(cloud, api, role):
    """The API with a group for its logs; the account's role is set."""
    arn = role("logs:*")
    api.client.update_account(
        patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": arn}]
    )
    logs = cloud.client("logs")
    group = f"access-{uuid.uuid4().hex[:10]}"
    logs.create_log_group(logGroupName=group)
    api.mock("GET", "{x}", template='{"a": "$input.params(\'x\')"}')
    api.deploy()

    def patch(*operations):
        api.client.update_stage(
            restApiId=api.id,
            stageName="prod",
            patchOperations=[
                {"op": "replace", "path": path, "value": value} for path, value in operations
            ],
        )

    def lines(name=group, least=1):
        """The lines of a group, once there are as many."""
        found: list[str] = []
        for _ in range(300):
            with contextlib.suppress(logs.exceptions.ResourceNotFoundException):
                events = logs.filter_log_events(logGroupName=name)["events"]
                found = [one["message"] for one in events]
            if len(found) >= least:
                break
        return found

    api.patch, api.lines = patch, lines
    account = arn.split(":")[4]
    api.group = f"arn:aws:logs:us-east-1:{account}:log-group:{group}"
    yield api
    logs.delete_log_group(logGroupName=group)


def turn_on(api, line):
    api.patch(("/accessLogSettings/destinationArn", api.group), ("/accessLogSettings/format", line))


def test_common_log_format(logged):
    turn_on(logged, CLF)
    answer = logged.call("GET", "/v")
    parts = logged.lines()[0].split(" ")
    assert parts[:3] == ["127.0.0.1", "-", "-"]
    assert parts[5:8] == ['"GET', "/{x}", 'HTTP/1.1"']
    assert parts[8:10] == ["200", str(len(answer.body))]
    assert parts[10] == answer.headers["x-amzn-RequestId"]
    assert parts[11] == answer.headers["x-amz-apigw-id"]


def test_json_of_answers_and_of_refusals(logged):
    turn_on(logged, JSON)
    stage = logged.client.get_stage(restApiId=logged.id, stageName="prod")
    assert stage["accessLogSettings"] == {"destinationArn": logged.group, "format": JSON}
    logged.call("GET", "/v", headers={"User-Agent": 'a"b\\c'})
    logged.call("GET", "/v/nowhere")
    found, lost = map(json.loads, logged.lines(least=2))
    assert found["agent"] == 'a"b\\c'
    assert (found["path"], found["status"], found["stage"]) == ("/prod/v", "200", "prod")
    assert (found["error"], found["none"], found["canary"]) == ("-", "-", "false")
    assert found["trace"].startswith("1-")
    assert int(found["latency"]) >= 0
    assert (lost["status"], lost["error"]) == ("403", "Missing Authentication Token")
    assert lost["kind"] == "MISSING_AUTHENTICATION_TOKEN"


def test_a_backends_status_and_time(logged, backend):
    turn_on(logged, JSON)
    place = logged.method("GET", "backend", "b")
    logged.client.put_integration(
        **place, type="HTTP_PROXY", integrationHttpMethod="GET", uri=backend.url
    )
    logged.deploy()
    logged.call("GET", "/backend/b", headers={"X-Want-Status": "418"})
    line = json.loads(logged.lines()[0])
    assert (line["status"], line["backend"], line["old"]) == ("418", "418", "418")
    assert int(line["backendLatency"]) >= 0


@pytest.mark.parametrize("line", [XML, CSV])
def test_xml_and_csv(logged, line):
    turn_on(logged, line)
    answer = logged.call("GET", "/v", headers={"User-Agent": "</agent><evil/>"})
    told = logged.lines()[0]
    assert answer.headers["x-amzn-RequestId"] in told
    assert "<evil/>" not in told


def test_they_can_be_turned_off(logged):
    turn_on(logged, CSV)
    logged.call("GET", "/v")
    assert len(logged.lines()) == 1
    logged.client.update_stage(
        restApiId=logged.id,
        stageName="prod",
        patchOperations=[{"op": "remove", "path": "/accessLogSettings"}],
    )
    logged.call("GET", "/v")
    turn_on(logged, CSV)
    logged.call("GET", "/v")
    assert len(logged.lines(least=2)) == 2


def test_execution_logs_in_full(logged, cloud):
    logged.patch(("/*/*/logging/loglevel", "INFO"), ("/*/*/logging/dataTrace", "true"))
    answer = logged.call(
        "GET", "/v?q=1", headers={"X-One": "1", "Authorization": "Bearer secret-secret-secret"}
    )
    group = f"API-Gateway-Execution-Logs_{logged.id}/prod"
    lines = logged.lines(group, least=10)
    request_id = answer.headers["x-amzn-RequestId"]
    assert all(line.startswith(f"({request_id}) ") for line in lines)
    told = [line.removeprefix(f"({request_id}) ") for line in lines]
    place = f"{logged.id}/prod"
    assert told[:6] == [
        f"Extended Request Id: {answer.headers['x-amz-apigw-id']}",
        f"Verifying Usage Plan for request: {request_id}. API Key:  API Stage: {place}",
        "API Key  authorized because method 'GET /{x}' does not require API Key. Request will not "
        "contribute to throttle or quota limits",
        f"Usage Plan check succeeded for API Key  and API Stage {place}",
        f"Starting execution for request: {request_id}",
        "HTTP Method: GET, Resource Path: /v",
    ]
    assert told[-2:] == [
        "Successfully completed execution",
        "Method completed with status: 200",
    ]
    assert "Method request path: {x=v}" in told
    assert "Method request query string: {q=1}" in told
    assert 'Method response body after transformations: {"a": "v"}' in told
    assert not any("secret-secret" in line for line in told)
    cloud.client("logs").delete_log_group(logGroupName=group)


def test_execution_logs_of_errors_alone(logged, cloud):
    place = logged.method("GET", "broken", "x")
    logged.client.put_integration(**place, type="MOCK", requestTemplates={"application/json": "{}"})
    logged.deploy()
    logged.patch(("/*/*/logging/loglevel", "ERROR"))
    logged.call("GET", "/v")
    answer = logged.call("GET", "/broken/x")
    assert answer.status == 500
    group = f"API-Gateway-Execution-Logs_{logged.id}/prod"
    request_id = answer.headers["x-amzn-RequestId"]
    told = [line.removeprefix(f"({request_id}) ") for line in logged.lines(group, least=3)]
    assert told == [
        "Execution failed due to configuration error: the request template of a MOCK integration "
        "gives no statusCode",
        "Gateway response type: API_CONFIGURATION_ERROR with status code: 500",
        "Method completed with status: 500",
    ]
    cloud.client("logs").delete_log_group(logGroupName=group)


def test_a_canary_has_an_execution_log_of_its_own(logged, cloud):
    logged.patch(("/*/*/logging/loglevel", "INFO"), ("/canarySettings/percentTraffic", "100"))
    answer = logged.call("GET", "/v")
    group = f"API-Gateway-Execution-Logs_{logged.id}/prod/Canary"
    lines = logged.lines(group)
    assert f"({answer.headers['x-amzn-RequestId']}) Method completed with status: 200" in lines
    cloud.client("logs").delete_log_group(logGroupName=group)


text = st.text(max_size=60)


@given(text)
@settings(max_examples=100, deadline=None)
def test_no_value_breaks_out_of_its_line(value):
    line = compile_format('{"a": "$context.x", "b": "$context.y.z"}')({"x": value, "y": {"z": 1}})
    assert "\n" not in line
    assert "\r" not in line
    assert json.loads(line, strict=False) == {"a": value or "-", "b": "1"}
    xml = compile_format("<a>$context.x</a>")({"x": value})
    assert xml.count("<") == 2
    assert xml.count(">") == 2


def test_names_are_read_to_their_end():
    line = compile_format("$context.a.b, $context.a-b. $context $context.c$context.d\n")
    values = {"a": {"b": True}, "a-b": 1.5, "c": {"x": [1]}, "d": None}
    assert line(values) == 'true, 1.5. $context {\\"x\\":[1]}-'
