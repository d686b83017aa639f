"""Segments of functions.

https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.conftest import Cloud
from tests.services.lambda_.conftest import payload_of
from tests.services.xray.conftest import Trail, one, part, wait_until

LAMBDA, FUNCTION = "AWS::Lambda", "AWS::Lambda::Function"
TELL = "import os\ndef handler(event, context):\n    return os.environ['_X_AMZN_TRACE_ID']\n"
FAIL = "def handler(event, context):\n    raise ValueError('no such order')\n"


def fields_of(header: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in header.split(";"))


def test_a_function_has_two_segments_and_its_phases(trail: Trail, make: Callable[..., str]) -> None:
    name = make(TELL)
    answer = trail.client("lambda").invoke(FunctionName=name)
    header = fields_of(payload_of(answer))
    documents = trail.wait((name, LAMBDA), (name, FUNCTION))
    service, function = one(documents, name, LAMBDA), one(documents, name, FUNCTION)
    assert header["Root"] == trail.id
    assert (header["Parent"], header["Sampled"]) == (function["id"], "1")
    assert function["parent_id"] == service["id"]
    assert "parent_id" not in service
    assert service["http"]["response"]["status"] == 200
    assert service["aws"]["request_id"] == answer["ResponseMetadata"]["RequestId"]
    assert service["resource_arn"].endswith(f":function:{name}")
    assert function["aws"]["function_arn"] == service["resource_arn"]
    phases = [each["name"] for each in function["subsegments"]]
    assert phases == ["Initialization", "Invocation", "Overhead"]
    times = [function["start_time"]]
    for each in function["subsegments"]:
        times += [each["start_time"], each["end_time"]]
    assert times == sorted(times)
    assert service["start_time"] <= times[0] <= times[-1] <= function["end_time"]
    warm = Trail(trail.cloud)
    warm.client("lambda").invoke(FunctionName=name)
    document = one(warm.wait((name, FUNCTION)), name, FUNCTION)
    assert [each["name"] for each in document["subsegments"]] == ["Invocation", "Overhead"]


def test_a_failed_function_says_why(trail: Trail, make: Callable[..., str]) -> None:
    name = make(FAIL)
    trail.client("lambda").invoke(FunctionName=name)
    function = one(trail.wait((name, FUNCTION)), name, FUNCTION)
    assert function["fault"] is True
    (exception,) = function["cause"]["exceptions"]
    assert (exception["type"], exception["message"]) == ("ValueError", "no such order")
    assert exception["stack"] == [{"path": "/var/task/index.py", "line": 2, "label": "handler"}]
    assert one(trail.documents(), name, LAMBDA)["fault"] is True


def test_a_throttled_call_has_no_segment_of_the_function(
    trail: Trail, make: Callable[..., str]
) -> None:
    name = make(TELL)
    lam = trail.client("lambda")
    lam.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        lam.invoke(FunctionName=name)
        raise AssertionError("it must be refused")
    except lam.exceptions.TooManyRequestsException:
        pass
    service = one(trail.wait((name, LAMBDA)), name, LAMBDA)
    assert (service["error"], service["throttle"]) == (True, True)
    assert service["http"]["response"]["status"] == 429
    assert len([each for each in trail.documents() if each["name"] == name]) == 1


def test_an_event_has_its_dwell_time_and_its_attempts(
    trail: Trail, make: Callable[..., str]
) -> None:
    name = make(FAIL)
    lam = trail.client("lambda")
    lam.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    lam.invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")
    kinds = ((name, LAMBDA), (name, FUNCTION), ("Dwell Time", "subsegment"))
    documents = trail.wait(*kinds, ("Attempt #1", "subsegment"))
    service, attempt = one(documents, name, LAMBDA), one(documents, "Attempt #1", "subsegment")
    dwell = one(documents, "Dwell Time", "subsegment")
    assert service["http"]["response"]["status"] == 202
    assert attempt["parent_id"] == dwell["parent_id"] == service["id"]
    assert one(documents, name, FUNCTION)["parent_id"] == attempt["id"]
    assert attempt["fault"] is True
    assert dwell["start_time"] == service["start_time"] <= dwell["end_time"]


def test_the_callers_decision_counts(recorded: Cloud, make: Callable[..., str]) -> None:
    name = make(TELL)
    trail = Trail(recorded)
    lam = trail.client("lambda", f"Root={trail.id};Sampled=0")
    header = payload_of(lam.invoke(FunctionName=name))
    assert fields_of(header)["Sampled"] == "0"
    # What is recorded later is there, so that this one would be as well.
    later = Trail(recorded)
    later.client("lambda").invoke(FunctionName=name)
    later.wait((name, FUNCTION))
    assert trail.documents() == []


def test_rules_decide_where_nobody_has(recorded: Cloud, make: Callable[..., str]) -> None:
    name = make(TELL)
    xray = recorded.client("xray")
    never = {
        "RuleName": name,
        "ResourceARN": f"*:function:{name}",
        "Priority": 1,
        "FixedRate": 0.0,
        "ReservoirSize": 0,
        "ServiceName": "*",
        "ServiceType": FUNCTION,
        "Host": "*",
        "HTTPMethod": "*",
        "URLPath": "*",
        "Version": 1,
    }
    xray.create_sampling_rule(SamplingRule=never)
    lam = recorded.client("lambda")
    assert fields_of(payload_of(lam.invoke(FunctionName=name)))["Sampled"] == "0"
    xray.update_sampling_rule(SamplingRuleUpdate={"RuleName": name, "FixedRate": 1.0})
    header = payload_of(lam.invoke(FunctionName=name))
    assert fields_of(header)["Sampled"] == "1"
    xray.delete_sampling_rule(RuleName=name)
    Trail(recorded, header).wait((name, LAMBDA), (name, FUNCTION))


def test_a_function_that_passes_traces_on_is_in_none(
    trail: Trail, make: Callable[..., str]
) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
    name = make(TELL, TracingConfig={"Mode": "PassThrough"})
    parent = "53995c3f42cd8ad8"
    lam = trail.client("lambda", f"Root={trail.id};Parent={parent};Sampled=1")
    header = fields_of(payload_of(lam.invoke(FunctionName=name)))
    assert (header["Root"], header["Parent"], header["Sampled"]) == (trail.id, parent, "1")
    active = make(TELL)
    lam.invoke(FunctionName=active)
    documents = trail.wait((active, FUNCTION))
    assert {each["name"] for each in documents} == {active}
    assert one(documents, active, LAMBDA)["parent_id"] == parent


CALLS = """
import boto3
def handler(event, context):
    table = boto3.client("dynamodb")
    table.put_item(TableName=event["table"], Item={"id": {"S": "1"}})
    try:
        table.get_item(TableName="nothing-here", Key={"id": {"S": "1"}})
    except table.exceptions.ResourceNotFoundException:
        pass
    boto3.client("s3").put_object(Bucket=event["bucket"], Key="k", Body=b"x")
"""


def test_calls_of_a_plain_client_are_recorded(trail: Trail, make: Callable[..., str]) -> None:
    cloud = trail.cloud
    name = make(CALLS)
    cloud.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    cloud.client("s3").create_bucket(Bucket=name)
    event = json.dumps({"table": name, "bucket": name})
    trail.client("lambda").invoke(FunctionName=name, Payload=event)
    documents = trail.wait((name, FUNCTION), ("S3", "aws"))
    function = one(documents, name, FUNCTION)
    calls = [each for each in documents if each.get("namespace") == "aws"]
    assert len(calls) == 3
    assert {each["parent_id"] for each in calls} == {function["id"]}
    by_operation = {each["aws"]["operation"]: each for each in calls}
    assert by_operation["PutItem"]["aws"]["table_name"] == name
    assert by_operation["PutItem"]["http"]["response"]["status"] == 200
    failed = by_operation["GetItem"]
    assert failed["error"] is True
    assert failed["cause"]["exceptions"][0]["type"] == "ResourceNotFoundException"
    assert by_operation["PutObject"]["aws"]["bucket_name"] == name
    assert trail.graph()[FUNCTION] == {"AWS::DynamoDB::Table", "AWS::S3::Bucket"}


def test_nobody_else_can_add_calls_to_a_function(trail: Trail, make: Callable[..., str]) -> None:
    name = make(TELL)
    trail.client("lambda").invoke(FunctionName=name)
    function = one(trail.wait((name, FUNCTION)), name, FUNCTION)
    # The function has ended: what names its segment now is a stranger's.
    header = f"Root={trail.id};Parent={function['id']};Sampled=1"
    trail.client("sqs", header).list_queues()
    later = Trail(trail.cloud)
    later.client("lambda").invoke(FunctionName=name)
    later.wait((name, FUNCTION))
    assert not [each for each in trail.documents() if each.get("namespace") == "aws"]


def test_summaries_and_graphs_know_them(trail: Trail, make: Callable[..., str]) -> None:
    name = make(FAIL)
    trail.client("lambda").invoke(FunctionName=name)
    function = one(trail.wait((name, FUNCTION)), name, FUNCTION)
    xray: Any = trail.cloud.client("xray")
    span = {"StartTime": function["start_time"] - 60, "EndTime": function["end_time"] + 60}

    def found() -> Any:
        text = f'service("{name}") {{ fault }}'
        return xray.get_trace_summaries(**span, FilterExpression=text)["TraceSummaries"]

    (summary,) = wait_until(found)
    assert (summary["Id"], summary["HasFault"]) == (trail.id, True)
    types = {each["Type"] for each in summary["ServiceIds"] if each["Name"] == name}
    assert types == {LAMBDA, FUNCTION}
    services = xray.get_service_graph(**span)["Services"]
    (node,) = [one for one in services if (one["Name"], one["Type"]) == (name, FUNCTION)]
    assert node["SummaryStatistics"]["FaultStatistics"]["TotalCount"] == 1
    series = xray.get_time_series_service_statistics(
        **span, EntitySelectorExpression=f'service("{name}")', Period=60
    )["TimeSeriesServiceStatistics"]
    counts = [each["ServiceSummaryStatistics"]["TotalCount"] for each in series]
    assert sum(counts) == 2
    assert part(function, "Invocation")["end_time"] <= function["end_time"]
