"""Links and sessions of the console, and that its origin is its own."""

import json
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cumulet.console.surface import own_address

PLACE = "/_cumulet/console/"


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def ask(cloud, path, *, body=None, host="console.localhost", headers=None, method=None):
    """Status, headers and body of a request to the console's host, which no resolver is asked."""
    port = urlsplit(cloud.endpoint).port
    request = urllib.request.Request(
        cloud.endpoint + path,
        data=body,
        headers={"Host": f"{host}:{port}", **(headers or {})},
        method=method,
    )
    try:
        with urllib.request.build_opener(_Stay).open(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def signed(cloud, path, key=None, body=b"{}", host=None):
    key = key or cloud.root_key
    port = urlsplit(cloud.endpoint).port
    name = f"http://{host}:{port}" if host else cloud.endpoint
    request = AWSRequest("POST", name + path, data=body)
    SigV4Auth(Credentials(*key), "cumulet", cloud.region).add_auth(request)
    return ask(cloud, path, body=body, host=host or "127.0.0.1", headers=dict(request.headers))


def link_of(cloud, key=None):
    status, _, body = signed(cloud, PLACE + "links", key)
    assert status == 200, body
    return json.loads(body)["url"]


def exchange(cloud, code, **more):
    return ask(cloud, PLACE + "session", body=json.dumps({"code": code}).encode(), **more)


def identity(cloud, found):
    session = boto3.Session(
        found["accessKeyId"], found["secretAccessKey"], found["sessionToken"], cloud.region
    )
    return session.client("sts", endpoint_url=cloud.endpoint).get_caller_identity()["Arn"]


def user_key(cloud, name):
    iam = cloud.client("iam")
    iam.create_user(UserName=name)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return made["AccessKeyId"], made["SecretAccessKey"]


def test_a_link_signs_in_once_as_who_asked_for_it(cloud):
    url = link_of(cloud)
    place, _, code = url.partition("#code=")
    assert place == own_address(cloud.endpoint) + PLACE
    status, headers, body = exchange(cloud, code)
    assert status == 200
    assert "no-cache" in headers["Cache-Control"]
    assert identity(cloud, json.loads(body)) == "arn:aws:iam::000000000000:root"
    status, _, body = exchange(cloud, code)
    assert (status, json.loads(body)) == (
        403,
        {"message": "This link was used already, or is too old."},
    )


def test_a_users_link_is_worth_no_more_than_the_user(cloud):
    key = user_key(cloud, "console-reader")
    _, _, code = link_of(cloud, key).partition("#code=")
    found = json.loads(exchange(cloud, code)[2])
    assert identity(cloud, found).endswith(":user/console-reader")
    session = boto3.Session(
        found["accessKeyId"], found["secretAccessKey"], found["sessionToken"], cloud.region
    )
    tables = session.client("dynamodb", endpoint_url=cloud.endpoint)
    with pytest.raises(tables.exceptions.ClientError, match="not authorized"):
        tables.list_tables()


def test_a_key_signs_in_without_a_link(cloud):
    key = user_key(cloud, "console-typist")
    status, _, body = signed(cloud, PLACE + "session", key, host="console.localhost")
    assert status == 200
    assert identity(cloud, json.loads(body)).endswith(":user/console-typist")


@pytest.mark.parametrize("page", ["links", "session"])
def test_a_wrong_key_gets_nothing(cloud, page):
    key = (cloud.root_key[0], "x" * 40)
    status, _, body = signed(cloud, PLACE + page, key, host="console.localhost")
    assert status == 403
    assert "accessKeyId" not in json.loads(body)


def test_a_session_cannot_make_another(cloud):
    found = cloud.client("sts").get_session_token()["Credentials"]
    request = AWSRequest("POST", cloud.endpoint + PLACE + "links", data=b"{}")
    key = Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
    SigV4Auth(key, "cumulet", cloud.region).add_auth(request)
    status, _, body = ask(
        cloud, PLACE + "links", body=b"{}", host="127.0.0.1", headers=dict(request.headers)
    )
    assert status == 403
    assert json.loads(body)["message"].startswith("Sign in with the key of a user")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"code": 7}', b'{"code": "none"}'])
def test_what_is_no_code_is_refused(cloud, body):
    status, _, answer = ask(cloud, PLACE + "session", body=body, method="POST")
    assert status == 403
    assert "used already" in json.loads(answer)["message"]


def test_unsigned_requests_get_no_link(cloud):
    status, _, _ = ask(cloud, PLACE + "links", body=b"{}")
    assert status == 403


def test_the_pages_are_at_the_consoles_own_host_alone(cloud):
    port = urlsplit(cloud.endpoint).port
    status, headers, _ = ask(cloud, PLACE, host="127.0.0.1")
    assert (status, headers["Location"]) == (302, f"http://console.localhost:{port}{PLACE}")
    status, _, _ = exchange(cloud, "any", host="127.0.0.1")
    assert status == 403
    status, headers, body = ask(cloud, PLACE)
    assert status == 200
    assert b"<title>Cumulet console</title>" in body
    policy = headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert ask(cloud, PLACE + "../secret")[0] == 404
    assert ask(cloud, PLACE + "main.js", method="DELETE")[0] == 405


def test_what_users_keep_cannot_run_in_the_consoles_origin(cloud):
    bucket = cloud.client("s3")
    bucket.create_bucket(Bucket="console-neighbour")
    bucket.put_object(
        Bucket="console-neighbour", Key="a.html", Body=b"<script>", ContentType="text/html"
    )
    link = bucket.generate_presigned_url(
        "get_object", Params={"Bucket": "console-neighbour", "Key": "a.html"}
    )
    parts = urlsplit(link)
    status, headers, body = ask(cloud, f"{parts.path}?{parts.query}", host="127.0.0.1")
    assert (status, body) == (200, b"<script>")
    assert "Content-Security-Policy" not in headers
    _, headers, _ = ask(cloud, f"{parts.path}?{parts.query}")
    assert headers["Content-Security-Policy"] == "sandbox"


@pytest.mark.parametrize(
    ("endpoint", "own"),
    [
        ("http://127.0.0.1:4566", "http://console.localhost:4566"),
        ("http://localhost:4566", "http://console.localhost:4566"),
        ("https://cloud.example:443", "https://console.cloud.example:443"),
        ("https://console.cloud.example", "https://console.cloud.example"),
        ("http://[::1]:4566", "http://console.localhost:4566"),
        ("http://[::1]", "http://console.localhost"),
    ],
)
def test_the_consoles_address_beside_an_endpoint(endpoint, own):
    assert own_address(endpoint) == own
