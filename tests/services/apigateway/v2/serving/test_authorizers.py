"""Lambda authorizers and IAM authorization of HTTP APIs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html
"""

from __future__ import annotations

import json
import uuid

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.services.apigateway.v2.serving.conftest import uri_of

UNAUTHORIZED = (401, b'{"message":"Unauthorized"}')
FORBIDDEN = (403, b'{"message":"Forbidden"}')
FAILED = (500, b'{"message":"Internal Server Error"}')


@pytest.fixture
def guard(v2, http_api, function):
    """Adds an authorizer and routes `GET /one/{id}` and `GET /two` behind it."""

    def add(**settings):
        authorizer = v2.create_authorizer(
            **{
                "ApiId": http_api.id,
                "Name": f"a{uuid.uuid4().hex[:6]}",
                "AuthorizerType": "REQUEST",
                "AuthorizerUri": uri_of(function),
                "IdentitySource": ["$request.header.Authorization"],
                "AuthorizerPayloadFormatVersion": "2.0",
                "AuthorizerResultTtlInSeconds": 0,
                **settings,
            }
        )["AuthorizerId"]
        backend = http_api.function(function)
        for key in ("GET /one/{id}", "GET /two"):
            http_api.route(key, backend, AuthorizationType="CUSTOM", AuthorizerId=authorizer)
        return authorizer

    return add


def ask(api, token, path="/one/1", **headers):
    return api.call("GET", path, headers={"Authorization": token, **headers})


def test_a_simple_answer_lets_in_or_not(http_api, guard):
    guard(EnableSimpleResponses=True)
    answer = ask(http_api, "simple allow")
    assert answer.status == 200
    told = answer.json["requestContext"]["authorizer"]["lambda"]
    assert told["depth"] == 3
    event = json.loads(told["event"])
    assert event["version"] == "2.0"
    assert event["type"] == "REQUEST"
    assert event["routeArn"] == (
        f"arn:aws:execute-api:us-east-1:000000000000:{http_api.id}/$default/GET/one/1"
    )
    assert event["identitySource"] == ["simple allow"]
    assert event["routeKey"] == "GET /one/{id}"
    assert event["pathParameters"] == {"id": "1"}
    assert event["requestContext"]["http"]["method"] == "GET"
    refusal = ask(http_api, "simple no")
    assert (refusal.status, refusal.body) == FORBIDDEN
    assert "apigw-requestid" in refusal.headers


def test_a_policy_lets_in_or_not(http_api, guard):
    guard()
    answer = ask(http_api, "allow")
    assert answer.status == 200
    for token in ("deny", "elsewhere"):
        refusal = ask(http_api, token)
        assert (refusal.status, refusal.body) == FORBIDDEN


def test_format_1_has_the_events_of_rest_apis(http_api, guard):
    guard(AuthorizerPayloadFormatVersion="1.0")
    told = ask(http_api, "allow").json["requestContext"]["authorizer"]["lambda"]
    event = json.loads(told["event"])
    assert (event["version"], event["type"]) == ("1.0", "REQUEST")
    assert event["identitySource"] == event["authorizationToken"] == "allow"
    assert event["methodArn"].endswith("/GET/one/1")
    assert event["httpMethod"] == "GET"
    assert event["resource"] == "/one/{id}"


def test_without_identity_the_function_is_not_asked(http_api, guard):
    guard(IdentitySource=["$request.header.Authorization", "$request.querystring.k"])
    for path, headers in (
        ("/two", {}),
        ("/two", {"Authorization": "allow"}),
        ("/two?k=1", {}),
    ):
        refusal = http_api.call("GET", path, headers=headers)
        assert (refusal.status, refusal.body) == UNAUTHORIZED
    assert ask(http_api, "allow", "/two?k=1").status == 200


@pytest.mark.parametrize(
    ("token", "refusal"),
    [("unauthorized", UNAUTHORIZED), ("crash", FAILED), ("malformed", FAILED)],
)
def test_an_authorizer_that_fails_lets_nobody_in(http_api, guard, token, refusal):
    guard()
    answer = ask(http_api, token)
    assert (answer.status, answer.body) == refusal


def test_an_authorizer_that_may_not_be_invoked_lets_nobody_in(http_api, guard, make_function):
    guard(AuthorizerUri=uri_of(make_function(is_open=False)))
    answer = ask(http_api, "allow")
    assert (answer.status, answer.body) == FAILED


def calls(answer):
    return answer.json["requestContext"]["authorizer"]["lambda"]["calls"]


def test_answers_are_kept_by_identity_and_judged_by_route(v2, http_api, guard):
    guard(AuthorizerResultTtlInSeconds=60)
    first = ask(http_api, "everything")
    assert calls(ask(http_api, "everything", "/two")) == calls(first)
    # The policy of this token names only the first route that it was asked for.
    assert ask(http_api, "allow").status == 200
    refusal = ask(http_api, "allow", "/two")
    assert (refusal.status, refusal.body) == FORBIDDEN
    v2.reset_authorizers_cache(ApiId=http_api.id, StageName="$default")
    assert calls(ask(http_api, "everything")) != calls(first)


def test_without_a_time_nothing_is_kept(http_api, guard):
    guard()
    first = ask(http_api, "everything")
    assert calls(ask(http_api, "everything")) != calls(first)


@pytest.fixture
def signed(cloud, http_api, function):
    """Calls `GET /signed/…` with a signature of the given key, or of root."""
    http_api.route("GET /signed/{id}", http_api.function(function), AuthorizationType="AWS_IAM")

    def call(path="/signed/1", key=None, service="execute-api"):
        host = f"{http_api.id}.execute-api.localhost"
        request = AWSRequest("GET", f"http://{host}{path}", headers={"Host": host})
        SigV4Auth(Credentials(*(key or cloud.root_key)), service, "us-east-1").add_auth(request)
        return http_api.call(
            "GET", path, headers={k: v for k, v in request.headers.items() if k != "Host"}
        )

    return call


def test_a_signature_tells_who_calls(signed, cloud):
    answer = signed()
    assert answer.status == 200
    assert answer.json["requestContext"]["authorizer"]["iam"] == {
        "accessKey": cloud.root_key[0],
        "accountId": "000000000000",
        "callerId": "000000000000",
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": "arn:aws:iam::000000000000:root",
        "userId": "000000000000",
    }


def test_without_a_good_signature_nobody_is_let_in(signed, cloud, http_api):
    for answer in (
        http_api.call("GET", "/signed/1"),
        signed(key=(cloud.root_key[0], "wrong")),
        signed(key=("AKIANOTHINGNOTHINGNO", "wrong")),
        signed(service="lambda"),
    ):
        assert (answer.status, answer.body) == FORBIDDEN


def test_the_signers_policies_decide(signed, cloud, http_api):
    iam = cloud.client("iam")
    name = f"http-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    pair = (key["AccessKeyId"], key["SecretAccessKey"])
    answer = signed(key=pair)
    assert (answer.status, answer.body) == FORBIDDEN
    policy = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": "execute-api:Invoke",
            "Resource": f"arn:aws:execute-api:*:*:{http_api.id}/*/GET/signed/1",
        },
    }
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    assert signed(key=pair).status == 200
    assert signed("/signed/2", key=pair).status == 403
