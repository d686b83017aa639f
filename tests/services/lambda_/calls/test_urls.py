"""Function URLs. https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html"""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from tests.services.lambda_.conftest import unique

EVENT = "def handler(event, context):\n    return event\n"


class Reply(NamedTuple):
    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def fetch(
    cloud: Any,
    url: str,
    path: str = "/",
    *,
    method: str = "GET",
    data: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> Reply:
    """Ask a function URL; its host is given in a header, as names under localhost need DNS."""
    request = urllib.request.Request(
        cloud.endpoint + path,
        data=data,
        method=method,
        headers={"Host": urlsplit(url).netloc, **(headers or {})},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return Reply(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.headers, error.read())


def open_to_all(lam: Any, name: str, **qualifier: str) -> None:
    """The two statements that a public URL needs, see urls-auth.html."""
    lam.add_permission(
        FunctionName=name,
        StatementId="url",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
        **qualifier,
    )
    lam.add_permission(
        FunctionName=name,
        StatementId="invoke",
        Action="lambda:InvokeFunction",
        Principal="*",
        InvokedViaFunctionUrl=True,
        **qualifier,
    )


@pytest.fixture
def public(lam: Any, make: Any) -> Callable[..., str]:
    """Makes a function with a URL for everybody."""

    def make_url(text: str, **config: Any) -> str:
        name = make(text)
        open_to_all(lam, name)
        made = lam.create_function_url_config(FunctionName=name, AuthType="NONE", **config)
        return str(made["FunctionUrl"])

    return make_url


def test_the_event_has_payload_format_2(cloud: Any, public: Any) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-request-payload
    url = public(EVENT)
    reply = fetch(
        cloud,
        url,
        "/a/b%20c?x=1&x=2&y=%C3%A9",
        method="POST",
        data='{"k": "é"}'.encode(),
        headers={"Content-Type": "application/json", "Cookie": "c1=1; c2=2", "X-Mine": "m"},
    )
    assert reply.status == 200
    event = reply.json
    url_id = urlsplit(url).netloc.partition(".")[0]
    assert event["version"] == "2.0"
    assert event["routeKey"] == "$default"
    assert event["rawPath"] == "/a/b%20c"
    assert event["rawQueryString"] == "x=1&x=2&y=%C3%A9"
    assert event["queryStringParameters"] == {"x": "1,2", "y": "é"}
    assert event["cookies"] == ["c1=1", "c2=2"]
    assert event["headers"]["x-mine"] == "m"
    assert "cookie" not in event["headers"]
    assert event["body"] == '{"k": "é"}'
    assert event["isBase64Encoded"] is False
    context = event["requestContext"]
    assert context["accountId"] == "anonymous"
    assert context["apiId"] == context["domainPrefix"] == url_id
    assert context["domainName"] == f"{url_id}.lambda-url.us-east-1.localhost"
    assert context["http"]["method"] == "POST"
    assert context["http"]["path"] == "/a/b%20c"
    assert "authorizer" not in context


def test_a_binary_body_is_encoded(cloud: Any, public: Any) -> None:
    reply = fetch(
        cloud,
        public(EVENT),
        method="PUT",
        data=b"\x00\xff",
        headers={"Content-Type": "application/octet-stream"},
    )
    assert reply.json["isBase64Encoded"] is True
    assert base64.b64decode(reply.json["body"]) == b"\x00\xff"


def test_the_function_sets_status_headers_cookies_and_body(cloud: Any, public: Any) -> None:
    url = public(
        "def handler(event, context):\n"
        "    return {'statusCode': 201, 'headers': {'X-Thing': 'yes'},\n"
        "            'cookies': ['a=1', 'b=2; Secure'], 'body': 'aGk=',\n"
        "            'isBase64Encoded': True}\n"
    )
    reply = fetch(cloud, url)
    assert reply.status == 201
    assert reply.body == b"hi"
    assert reply.headers["x-thing"] == "yes"
    assert reply.headers.get_all("set-cookie") == ["a=1", "b=2; Secure"]
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["x-amzn-requestid"]


@pytest.mark.parametrize(
    ("result", "body"), [("'hello'", b"hello"), ("{'m': 1}", b'{"m": 1}'), ("[1]", b"[1]")]
)
def test_a_plain_result_becomes_the_body(cloud: Any, public: Any, result: str, body: bytes) -> None:
    reply = fetch(cloud, public(f"def handler(event, context):\n    return {result}\n"))
    assert (reply.status, reply.body) == (200, body)
    assert reply.headers["content-type"] == "application/json"


def test_a_failing_function_is_a_bad_gateway(cloud: Any, public: Any) -> None:
    reply = fetch(cloud, public("def handler(event, context):\n    raise KeyError('secret')\n"))
    assert reply.status == 502
    assert b"secret" not in reply.body


def test_a_header_with_a_line_break_is_a_bad_gateway(cloud: Any, public: Any) -> None:
    url = public(
        "def handler(event, context):\n"
        "    return {'statusCode': 200, 'headers': {'x': 'a\\r\\nset-cookie: evil=1'}}\n"
    )
    assert fetch(cloud, url).status == 502


def test_without_a_policy_a_public_url_is_forbidden(cloud: Any, lam: Any, make: Any) -> None:
    name = make(EVENT)
    url = lam.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
    reply = fetch(cloud, url)
    assert reply.status == 403
    assert reply.json["Message"].startswith("Forbidden")


def _signed(cloud: Any, url: str, key: tuple[str, ...] | None = None) -> dict[str, str]:
    session: boto3.Session = cloud.session(key)
    host = urlsplit(url).netloc
    request = AWSRequest("GET", f"http://{host}/", headers={"Host": host})
    SigV4Auth(session.get_credentials(), "lambda", "us-east-1").add_auth(request)
    return dict(request.headers.items())


def test_a_signature_is_needed_and_its_caller_is_told(cloud: Any, lam: Any, make: Any) -> None:
    name = make(EVENT)
    url = lam.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")["FunctionUrl"]
    assert fetch(cloud, url).status == 403
    reply = fetch(cloud, url, headers=_signed(cloud, url))
    assert reply.status == 200
    iam = reply.json["requestContext"]["authorizer"]["iam"]
    assert iam["userArn"].endswith(":root")
    assert iam["accessKey"] == cloud.root_key[0]
    forged = _signed(cloud, url, (cloud.root_key[0], "not-the-secret"))
    assert fetch(cloud, url, headers=forged).status == 403


def test_a_user_without_permission_is_forbidden(cloud: Any, lam: Any, make: Any) -> None:
    iam = cloud.client("iam")
    user = unique("url-user")
    iam.create_user(UserName=user)
    made = iam.create_access_key(UserName=user)["AccessKey"]
    key = (made["AccessKeyId"], made["SecretAccessKey"])
    name = make(EVENT)
    url = lam.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")["FunctionUrl"]
    assert fetch(cloud, url, headers=_signed(cloud, url, key)).status == 403
    allowed = {
        "Effect": "Allow",
        "Action": ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"],
        "Resource": "*",
    }
    policy = {"Version": "2012-10-17", "Statement": [allowed]}
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(policy))
    assert fetch(cloud, url, headers=_signed(cloud, url, key)).status == 200


def test_browsers_are_answered_by_the_configuration(cloud: Any, public: Any) -> None:
    # https://docs.aws.amazon.com/lambda/latest/api/API_Cors.html
    url = public(
        "def handler(event, context):\n"
        "    return {'statusCode': 200, 'headers': {'Access-Control-Allow-Origin': 'evil'}}\n",
        Cors={
            "AllowOrigins": ["https://*.example.com"],
            "AllowMethods": ["GET", "POST"],
            "AllowHeaders": ["content-type"],
            "ExposeHeaders": ["x-thing"],
            "AllowCredentials": True,
            "MaxAge": 60,
        },
    )
    asked = {"Origin": "https://a.example.com", "Access-Control-Request-Method": "POST"}
    preflight = fetch(cloud, url, method="OPTIONS", headers=asked)
    assert preflight.status == 200
    assert preflight.headers["access-control-allow-origin"] == "https://a.example.com"
    assert preflight.headers["access-control-allow-methods"] == "GET,POST"
    assert preflight.headers["access-control-allow-headers"] == "content-type"
    assert preflight.headers["access-control-max-age"] == "60"
    reply = fetch(cloud, url, headers={"Origin": "https://a.example.com"})
    assert reply.headers.get_all("access-control-allow-origin") == ["https://a.example.com"]
    assert reply.headers["access-control-expose-headers"] == "x-thing"
    stranger = fetch(cloud, url, headers={"Origin": "https://example.org"})
    assert "access-control-allow-origin" not in stranger.headers


def test_the_path_form_reaches_the_same_function(cloud: Any, public: Any) -> None:
    url_id = urlsplit(public(EVENT)).netloc.partition(".")[0]
    with urllib.request.urlopen(f"{cloud.endpoint}/_lambda-url/{url_id}/a/b?c=d") as answer:
        event = json.load(answer)
    assert event["rawPath"] == "/a/b"
    assert event["rawQueryString"] == "c=d"


def test_an_alias_has_a_url_of_its_own(cloud: Any, lam: Any, make: Any) -> None:
    name = make("def handler(event, context):\n    return context.function_version\n", Publish=True)
    lam.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    open_to_all(lam, name, Qualifier="live")
    made = lam.create_function_url_config(FunctionName=name, Qualifier="live", AuthType="NONE")
    assert made["FunctionArn"].endswith(f":function:{name}:live")
    assert fetch(cloud, made["FunctionUrl"]).body == b"1"
    listed = lam.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]
    assert [each["FunctionUrl"] for each in listed] == [made["FunctionUrl"]]


def test_a_url_is_configured_changed_and_taken_away(cloud: Any, lam: Any, make: Any) -> None:
    name = make(EVENT)
    made = lam.create_function_url_config(FunctionName=name, AuthType="NONE")
    with pytest.raises(lam.exceptions.ResourceConflictException):
        lam.create_function_url_config(FunctionName=name, AuthType="NONE")
    changed = lam.update_function_url_config(
        FunctionName=name, AuthType="AWS_IAM", InvokeMode="RESPONSE_STREAM"
    )
    assert changed["FunctionUrl"] == made["FunctionUrl"]
    got = lam.get_function_url_config(FunctionName=name)
    assert (got["AuthType"], got["InvokeMode"]) == ("AWS_IAM", "RESPONSE_STREAM")
    lam.delete_function_url_config(FunctionName=name)
    with pytest.raises(lam.exceptions.ResourceNotFoundException):
        lam.get_function_url_config(FunctionName=name)
    assert fetch(cloud, made["FunctionUrl"]).status == 404


def test_a_throttled_url_says_so(cloud: Any, lam: Any, make: Any) -> None:
    name = make(EVENT)
    open_to_all(lam, name)
    url = lam.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
    lam.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    reply = fetch(cloud, url)
    assert reply.status == 429
    assert reply.json["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
