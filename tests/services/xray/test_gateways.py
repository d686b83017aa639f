"""Segments of REST stages.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-understanding-xray-traces.html
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.conftest import Cloud
from tests.services.lambda_.conftest import unique
from tests.services.xray.conftest import Trail, one

STAGE, LAMBDA, FUNCTION = "AWS::ApiGateway::Stage", "AWS::Lambda", "AWS::Lambda::Function"
ANSWER = """
def handler(event, context):
    status = (event.get("queryStringParameters") or {}).get("status", "200")
    if status == "crash":
        raise ValueError("crashed")
    return {"statusCode": int(status), "body": "hello"}
"""
ALLOW = """
def handler(event, context):
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": "me", "policyDocument": document}
"""


class Api:
    """A REST API with one path that a function answers."""

    def __init__(self, cloud: Cloud, function: str, authorizer: str = "") -> None:
        self.cloud = cloud
        self.name = unique("api")
        self.client = client = cloud.client("apigateway")
        self.id = client.create_rest_api(name=self.name)["id"]
        root = client.get_resources(restApiId=self.id)["items"][0]["id"]
        path = client.create_resource(restApiId=self.id, parentId=root, pathPart="hello")["id"]
        self.place = {"restApiId": self.id, "resourceId": path, "httpMethod": "GET"}
        more = {"authorizationType": "NONE"}
        if authorizer:
            made = client.create_authorizer(
                restApiId=self.id,
                name="a",
                type="TOKEN",
                authorizerUri=uri(self.arn(authorizer)),
                identitySource="method.request.header.Authorization",
            )
            more = {"authorizationType": "CUSTOM", "authorizerId": made["id"]}
        client.put_method(**self.place, **more)
        self.integrate(type="AWS_PROXY", integrationHttpMethod="POST", uri=uri(self.arn(function)))
        for name in filter(None, (function, authorizer)):
            cloud.client("lambda").add_permission(
                FunctionName=name,
                StatementId="gateway",
                Action="lambda:InvokeFunction",
                Principal="apigateway.amazonaws.com",
            )

    def arn(self, function: str) -> str:
        answer = self.cloud.client("lambda").get_function(FunctionName=function)
        return str(answer["Configuration"]["FunctionArn"])

    def integrate(self, **how: Any) -> None:
        self.client.put_integration(**self.place, **how)

    def deploy(self, *, traced: bool = True) -> None:
        self.client.create_deployment(restApiId=self.id, stageName="prod", tracingEnabled=traced)

    def call(self, query: str = "", **headers: str) -> tuple[int, str]:
        """The status, and the trace header of the answer."""
        address = self.cloud.endpoint.removeprefix("http://")
        connection = http.client.HTTPConnection(address, timeout=60)
        try:
            sent = {"Host": f"{self.id}.execute-api.localhost", "User-Agent": "me/1.0"}
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request("GET", f"/prod/hello{query}", headers=sent | given)
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.headers.get("X-Amzn-Trace-Id") or ""
        finally:
            connection.close()


def uri(arn: str) -> str:
    region = arn.split(":")[3]
    return f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"


@pytest.fixture
def build(recorded: Cloud) -> Iterator[Callable[..., Api]]:
    made: list[Api] = []

    def make_api(*words: str) -> Api:
        made.append(Api(recorded, *words))
        return made[-1]

    yield make_api
    for api in made:
        api.client.delete_rest_api(restApiId=api.id)


def test_a_stage_has_a_segment_with_a_part_for_its_function(
    recorded: Cloud, make: Callable[..., str], build: Callable[..., Api]
) -> None:
    function = make(ANSWER)
    api = build(function)
    api.deploy()
    status, header = api.call("?a=b")
    assert status == 200
    assert "Sampled=1" in header
    trail, name = Trail(recorded, header), f"{api.name}/prod"
    documents = trail.wait((name, STAGE), (function, LAMBDA), (function, FUNCTION))
    stage = one(documents, name, STAGE)
    asked = stage["http"]["request"]
    assert asked["url"] == f"http://{api.id}.execute-api.localhost/prod/hello?a=b"
    assert (asked["method"], asked["user_agent"], asked["client_ip"]) == (
        *("GET", "me/1.0"),
        "127.0.0.1",
    )
    assert stage["http"]["response"] == {"status": 200, "content_length": 5}
    about = stage["aws"]
    assert about["xray"] == {"sampling_rule_name": "everything"}
    assert (about["api_gateway"]["rest_api_id"], about["api_gateway"]["stage"]) == (api.id, "prod")
    assert stage["annotations"] == {"aws:api_id": api.id, "aws:api_stage": "prod"}
    assert stage["resource_arn"].endswith(f"::/restapis/{api.id}/stages/prod")
    assert not {"fault", "error", "throttle", "parent_id"} & set(stage)
    (part,) = stage["subsegments"]
    assert (part["name"], part["namespace"]) == ("Lambda", "aws")
    assert part["aws"]["function_name"] == function
    assert part["http"]["response"]["status"] == 200
    assert one(documents, function, LAMBDA)["parent_id"] == part["id"]
    assert trail.graph() == {
        "client": {STAGE},
        STAGE: {LAMBDA},
        LAMBDA: {FUNCTION},
        FUNCTION: set(),
    }


def test_the_authorizer_is_a_part_as_well(
    recorded: Cloud, make: Callable[..., str], build: Callable[..., Api]
) -> None:
    function, authorizer = make(ANSWER), make(ALLOW)
    api = build(function, authorizer)
    api.deploy()
    status, header = api.call(Authorization="secret")
    assert status == 200
    trail, name = Trail(recorded, header), f"{api.name}/prod"
    documents = trail.wait((name, STAGE), (function, FUNCTION), (authorizer, FUNCTION))
    first, second = one(documents, name, STAGE)["subsegments"]
    assert (first["aws"]["function_name"], second["aws"]["function_name"]) == (authorizer, function)
    assert one(documents, authorizer, LAMBDA)["parent_id"] == first["id"]
    assert one(documents, function, LAMBDA)["parent_id"] == second["id"]
    assert first["end_time"] <= second["start_time"]
    # What the authorizer said is kept, so that it is not asked again.
    again = Trail(recorded, api.call(Authorization="secret")[1])
    (only,) = one(again.wait((name, STAGE)), name, STAGE)["subsegments"]
    assert only["aws"]["function_name"] == function


@pytest.mark.parametrize(
    ("query", "status", "flags"),
    [
        ("?status=404", 404, {"error"}),
        ("?status=429", 429, {"error", "throttle"}),
        ("?status=503", 503, {"fault"}),
        ("?status=crash", 502, {"fault"}),
    ],
)
def test_statuses_are_errors_throttles_and_faults(
    trail: Trail,
    make: Callable[..., str],
    build: Callable[..., Api],
    query: str,
    status: int,
    flags: set[str],
) -> None:
    api = build(make(ANSWER))
    api.deploy()
    answered, _ = api.call(query, X_Amzn_Trace_Id=trail.header)
    assert answered == status
    name = f"{api.name}/prod"
    stage = one(trail.wait((name, STAGE)), name, STAGE)
    assert {"fault", "error", "throttle"} & set(stage) == flags
    assert "xray" not in stage["aws"], "the caller has decided, and no rule"


def test_other_backends_are_parts_too(
    trail: Trail, make: Callable[..., str], build: Callable[..., Api]
) -> None:
    api = build(make(ANSWER))
    api.integrate(
        type="HTTP_PROXY", integrationHttpMethod="GET", uri=f"{trail.cloud.endpoint}/pets"
    )
    api.deploy()
    api.call(X_Amzn_Trace_Id=trail.header)
    name = f"{api.name}/prod"
    (part,) = one(trail.wait((name, STAGE)), name, STAGE)["subsegments"]
    assert (part["name"], part["namespace"]) == ("/pets", "remote")
    assert part["http"]["request"]["method"] == "GET"


def test_without_tracing_only_callers_that_are_traced_make_segments(
    recorded: Cloud, make: Callable[..., str], build: Callable[..., Api]
) -> None:
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-enabling-xray.html
    function = make(ANSWER)
    api = build(function)
    api.deploy(traced=False)
    name = f"{api.name}/prod"
    _, header = api.call()
    begun = Trail(recorded, header)
    # The function begins a trace of its own account, in the gateway's, which is not in it.
    documents = begun.wait((function, FUNCTION))
    assert "parent_id" not in one(documents, function, LAMBDA)
    traced = Trail(recorded)
    api.call(X_Amzn_Trace_Id=f"Root={traced.id};Parent={'a' * 16};Sampled=1")
    stage = one(traced.wait((name, STAGE)), name, STAGE)
    assert stage["parent_id"] == "a" * 16
    assert not [each for each in begun.documents() if each["name"] == name]


def test_a_request_that_is_not_recorded_leaves_nothing(
    recorded: Cloud, make: Callable[..., str], build: Callable[..., Api]
) -> None:
    function = make(ANSWER)
    api = build(function)
    api.deploy()
    unsampled, later = Trail(recorded), Trail(recorded)
    api.call(X_Amzn_Trace_Id=f"Root={unsampled.id};Sampled=0")
    api.call(X_Amzn_Trace_Id=later.header)
    later.wait((f"{api.name}/prod", STAGE), (function, FUNCTION))
    assert unsampled.documents() == []


CHAIN = """
import boto3
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl="{url}", MessageBody="hello")
    return {{"statusCode": 202, "body": ""}}
"""


def test_one_trace_goes_from_gateway_to_function_to_queue_to_function(
    recorded: Cloud, make: Callable[..., str], build: Callable[..., Api]
) -> None:
    sqs = recorded.client("sqs")
    url = sqs.create_queue(QueueName=unique("q"), Attributes={"VisibilityTimeout": "90"})[
        "QueueUrl"
    ]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    first, last = make(CHAIN.format(url=url)), make()
    lam = recorded.client("lambda")
    mapping = lam.create_event_source_mapping(
        FunctionName=last, EventSourceArn=attributes["QueueArn"]
    )["UUID"]
    try:
        api = build(first)
        api.deploy()
        status, header = api.call()
        assert status == 202
        trail = Trail(recorded, header)
        documents = trail.wait((f"{api.name}/prod", STAGE), (first, FUNCTION), (last, FUNCTION))
    finally:
        lam.delete_event_source_mapping(UUID=mapping)
    sent = one(documents, "SQS", "aws")
    assert sent["aws"]["queue_url"] == url
    assert sent["parent_id"] == one(documents, first, FUNCTION)["id"]
    assert one(documents, last, LAMBDA)["parent_id"] == sent["id"]
    graph = trail.graph()
    assert graph[STAGE] == {LAMBDA}
    assert graph[FUNCTION] == {"AWS::SQS::Queue"}
    assert graph["AWS::SQS::Queue"] == {LAMBDA}
    services = recorded.client("xray").get_trace_graph(TraceIds=[trail.id])["Services"]
    names = [each["Name"] for each in services if each["Type"] == FUNCTION]
    assert sorted(names) == sorted([first, last])
