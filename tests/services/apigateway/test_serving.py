"""How a deployed API is reached, what it refuses, and that it comes with its function and its IAM.

https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-call-api.html
"""

from __future__ import annotations

import io
import json
import urllib.request
import uuid
import zipfile

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.services.apigateway.conftest import refused

ECHO = "import json\ndef handler(event, context):\n    return {'body': json.dumps(event)}\n"


@pytest.fixture
def function(cloud, api):
    """A function that answers its event, behind `ANY /{proxy+}` and `GET /own` (signed)."""
    name = f"f-{uuid.uuid4().hex[:10]}"
    iam, functions = cloud.client("iam"), cloud.client("lambda")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("index.py", ECHO)
    made = functions.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Handler="index.handler",
        Role=role["Arn"],
        Code={"ZipFile": sink.getvalue()},
    )
    uri = (
        "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
        f"{made['FunctionArn']}/invocations"
    )
    for place in (
        api.method("ANY", "{proxy+}"),
        api.method("GET", "own", auth="AWS_IAM"),
    ):
        api.client.put_integration(**place, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    api.deploy()
    yield name
    functions.delete_function(FunctionName=name)


def allow(cloud, api, name, pattern="*"):
    account = cloud.client("sts").get_caller_identity()["Account"]
    cloud.client("lambda").add_permission(
        FunctionName=name,
        StatementId="gateway",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:us-east-1:{account}:{api.id}/{pattern}",
    )


def test_a_function_answers_only_when_its_policy_lets_the_gateway(cloud, api, function):
    refusal = api.call("GET", "/a")
    assert (refusal.status, refusal.json) == (502, {"message": "Internal server error"})
    allow(cloud, api, function, "prod/*/*")
    event = api.call("GET", "/a/b?x=1", headers={"tEsT-HEADeR": "v"}).json
    assert event["pathParameters"] == {"proxy": "a/b"}
    assert event["headers"]["tEsT-HEADeR"] == "v"
    assert event["requestContext"]["domainName"] == f"{api.id}.execute-api.localhost"


def test_a_policy_for_another_api_does_not_count(cloud, api, function):
    account = cloud.client("sts").get_caller_identity()["Account"]
    cloud.client("lambda").add_permission(
        FunctionName=function,
        StatementId="other",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:us-east-1:{account}:other/*",
    )
    assert api.call("GET", "/a").status == 502


def signed_headers(cloud, api, key, path="/prod/own", session=None):
    host = f"{api.id}.execute-api.localhost"
    request = AWSRequest("GET", f"http://{host}{path}", headers={"Host": host})
    SigV4Auth(Credentials(*key, session), "execute-api", "us-east-1").add_auth(request)
    return dict(request.headers.items())


def test_a_signed_method_takes_who_is_allowed(cloud, api, function):
    allow(cloud, api, function)
    unsigned = api.call("GET", "/own")
    assert (unsigned.status, unsigned.json) == (403, {"message": "Missing Authentication Token"})
    iam = cloud.client("iam")
    name = f"u-{uuid.uuid4().hex[:10]}"
    user = iam.create_user(UserName=name)["User"]["Arn"]
    made = iam.create_access_key(UserName=name)["AccessKey"]
    key = (made["AccessKeyId"], made["SecretAccessKey"])

    def call(**more):
        headers = {**signed_headers(cloud, api, key), **more}
        headers.pop("Host", None)
        return api.call("GET", "/own", headers=headers)

    denied = call()
    account = user.split(":")[4]
    assert denied.status == 403
    assert denied.headers["x-amzn-ErrorType"] == "AccessDeniedException"
    assert denied.json == {
        "Message": f"User: {user} is not authorized to perform: execute-api:Invoke on resource: "
        f"arn:aws:execute-api:us-east-1:********{account[-4:]}:{api.id}/prod/GET/own"
    }
    arn = f"arn:aws:execute-api:us-east-1:{account}:{api.id}/prod/GET/own"
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": arn}],
    }
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    identity = call().json["requestContext"]["identity"]
    assert (identity["userArn"], identity["accessKey"]) == (user, key[0])
    wrong = signed_headers(cloud, api, (key[0], "x" * 40))
    wrong.pop("Host")
    broken = api.call("GET", "/own", headers=wrong)
    assert broken.status == 403
    assert broken.headers["x-amzn-ErrorType"] == "InvalidSignatureException"


@pytest.fixture
def served(api):
    api.mock("GET", "a", template='"$context.path"')
    api.mock("ANY", "p", "{x+}", template="\"$input.params('x')\"")
    api.deploy()
    return api


def test_every_address_of_a_stage(cloud, served):
    port = cloud.endpoint.rpartition(":")[2]
    for host in (
        f"{served.id}.execute-api.localhost",
        f"{served.id}.execute-api.localhost:{port}",
        f"{served.id.upper()}.execute-api.us-east-1.localhost",
        f"{served.id}.execute-api.us-east-1.amazonaws.com",
    ):
        assert served.call("GET", "/a", host=host).json == "/prod/a"
    for path in (
        f"/restapis/{served.id}/prod/_user_request_/a",
        f"/_aws/execute-api/{served.id}/prod/a",
    ):
        with urllib.request.urlopen(cloud.endpoint + path) as answer:
            assert json.loads(answer.read()) == "/prod/a"


def test_ids_and_headers_of_an_answer(served):
    answer = served.call("GET", "/a")
    assert uuid.UUID(answer.headers["x-amzn-RequestId"]).version == 4
    assert answer.headers["x-amz-apigw-id"].endswith("=")
    assert answer.headers["Content-Type"] == "application/json"


def test_bodies_over_ten_megabytes_are_too_long(served):
    answer = served.call("POST", "/p/x", body=b"x" * (10 * 1024 * 1024 + 1))
    assert (answer.status, answer.json) == (413, {"message": "Request Too Long"})
    assert answer.headers["x-amzn-ErrorType"] == "RequestTooLargeException"
    assert served.call("POST", "/p/x", body=b"x" * 1_000_000).status == 200


def test_headers_over_ten_kilobytes_are_refused(served):
    assert served.call("GET", "/a", headers={"X-Long": "x" * 9_000}).status == 200
    assert served.call("GET", "/a", headers={"X-Long": "x" * 10_300}).status == 431
    assert served.call("GET", "/a?" + "q" * 10_300).status in (414, 431)


def test_a_disabled_endpoint_answers_no_more(client, served):
    client.update_rest_api(
        restApiId=served.id,
        patchOperations=[{"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "true"}],
    )
    assert served.call("GET", "/a").json == {"message": "Forbidden"}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    path=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30),
    query=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30),
)
def test_no_path_or_query_breaks_it(served, path, query):
    answer = served.call("GET", f"/p/{path.replace('?', '')}?{query}")
    assert answer.status in (200, 400, 403)


def test_an_openapi_document_deploys_and_is_overwritten(cloud, client):
    def document(path, template):
        return json.dumps(
            {
                "openapi": "3.0.1",
                "info": {"title": "t", "version": "1"},
                "paths": {
                    path: {
                        "get": {
                            "responses": {"200": {"description": "ok"}},
                            "x-amazon-apigateway-integration": {
                                "type": "mock",
                                "requestTemplates": {"application/json": '{"statusCode": 200}'},
                                "responses": {
                                    "default": {
                                        "statusCode": "200",
                                        "responseTemplates": {"application/json": template},
                                    }
                                },
                            },
                        }
                    }
                },
            }
        ).encode()

    made = client.import_rest_api(
        body=document("/one/{id}", '"one"'), parameters={"endpointConfigurationTypes": "REGIONAL"}
    )
    try:
        assert made["endpointConfiguration"]["types"] == ["REGIONAL"]
        items = client.get_resources(restApiId=made["id"])["items"]
        ids = {one["path"]: one["id"] for one in items}
        assert set(ids) == {"/", "/one", "/one/{id}"}
        merged = client.put_rest_api(
            restApiId=made["id"], mode="merge", body=document("/two", '"two"')
        )
        assert merged["id"] == made["id"]
        items = client.get_resources(restApiId=made["id"])["items"]
        assert {one["path"] for one in items} == {"/", "/one", "/one/{id}", "/two"}
        client.put_rest_api(
            restApiId=made["id"], mode="overwrite", body=document("/one/{id}", '"new"')
        )
        items = client.get_resources(restApiId=made["id"])["items"]
        assert {one["path"]: one["id"] for one in items} == ids
        client.create_deployment(restApiId=made["id"], stageName="s")
        url = f"{cloud.endpoint}/_aws/execute-api/{made['id']}/s/one/7"
        with urllib.request.urlopen(url) as answer:
            assert answer.read() == b'"new"'
        with refused("BadRequestException", "Invalid OpenAPI input."):
            client.put_rest_api(restApiId=made["id"], mode="merge", body=b"nothing")
    finally:
        client.delete_rest_api(restApiId=made["id"])
