"""The AWS API over HTTP: boto3 and raw requests against small services declared through the kit."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any, ClassVar

import boto3
import pytest
from botocore import UNSIGNED
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials as BotoCredentials
from botocore.exceptions import ClientError

from cumulet.core.clock import SystemClock
from cumulet.core.errors import AwsError
from cumulet.core.http import Response
from cumulet.core.identity import Principal, root_principal
from cumulet.edge.app import front_door
from cumulet.edge.listen import Server
from cumulet.kit.dispatch import Dispatcher
from cumulet.kit.policy import IdentityPolicies
from cumulet.kit.ports import Credential, Credentials, Policies
from cumulet.kit.service import Operation, Service
from cumulet.wire.catalog import Catalog

KEY, SECRET, ACCOUNT = "AKIAROOTEXAMPLE00000", "s3cr3t/with+signs", "123456789012"
USER = Principal(
    "user",
    ACCOUNT,
    f"arn:aws:iam::{ACCOUNT}:user/ann",
    "AIDAEXAMPLE",
    f"arn:aws:iam::{ACCOUNT}:user/ann",
)


async def get_caller_identity(ctx, request):
    return {"UserId": ctx.caller.user_id, "Account": ctx.scope.account, "Arn": ctx.caller.arn}


async def assume_role_with_web_identity(ctx, request):
    return {"Provider": ctx.caller.kind}


async def list_tables(ctx, request):
    return {"TableNames": [ctx.scope.region, str(request.get("Limit", 0))]}


async def describe_table(ctx, request):
    if request["TableName"] == "broken":
        raise RuntimeError("secret detail")
    raise AwsError(
        "Requested resource not found", code="ResourceNotFoundException", http_status=400
    )


async def put_object(ctx, request):
    body = request["Body"]
    content = await body.read(1 << 24)
    trailers = getattr(body, "trailers", {})
    return {"ETag": f'"{len(content)}"', "ChecksumCRC32": trailers.get("x-amz-checksum-crc32")}


async def get_object(ctx, request):
    async def content():
        for _ in range(3):
            yield named

    named = f"{request['Bucket']}/{request['Key']};".encode()
    return {"Body": content(), "ContentLength": 3 * len(named)}


async def get_function(ctx, request):
    return {"Configuration": {"FunctionName": request["FunctionName"]}}


def operations(**named: Any) -> dict[str, Operation]:
    return {
        name: one if isinstance(one, Operation) else Operation(name, one)
        for name, one in named.items()
    }


SERVICES = [
    Service(
        "sts",
        "sts",
        operations(
            GetCallerIdentity=Operation("GetCallerIdentity", get_caller_identity, access="open"),
            AssumeRoleWithWebIdentity=Operation(
                "AssumeRoleWithWebIdentity",
                assume_role_with_web_identity,
                access="open",
                signed=False,
            ),
        ),
    ),
    Service(
        "dynamodb", "dynamodb", operations(ListTables=list_tables, DescribeTable=describe_table)
    ),
    Service("s3", "s3", operations(PutObject=put_object, GetObject=get_object)),
    Service("lambda", "lambda", operations(GetFunction=get_function)),
]


class Keys:
    """The credentials port with a few known keys."""

    known: ClassVar = {
        (KEY, ""): Credential(SECRET, root_principal(ACCOUNT, KEY)),
        ("AKIAUSER", ""): Credential("user-secret", USER),
        ("ASIATEMP", "the-token"): Credential("temp-secret", USER, expires_at=4e9),
        ("ASIAOVER", "the-token"): Credential("temp-secret", USER, expires_at=1.0),
    }

    async def find(self, access_key_id: str, session_token: str) -> Credential | None:
        return self.known.get((access_key_id, session_token))


class NoPolicies:
    async def of(self, principal: Principal) -> IdentityPolicies:
        return IdentityPolicies()


class Hello:
    """A surface at one host."""

    name = "hello"

    def match(self, request):
        return request.host.startswith("hello.")

    async def serve(self, platform, request):
        if request.path == "/broken":
            raise RuntimeError("secret detail")
        if request.path == "/refused":
            raise AwsError("Too Many Requests", http_status=429)
        return Response(200, [], b"hello")

    async def admit(self, platform, request):
        return None if request.path == "/open" else Response(403)

    async def converse(self, platform, request, socket):
        await socket.send("hello")


@pytest.fixture(scope="session")
def catalog(tmp_path_factory):
    return Catalog(tmp_path_factory.mktemp("models"))


@pytest.fixture
def cloud(catalog):
    """Run `work(cloud)` beside a whole front door; blocking clients go in a thread."""

    def runner(work: Any) -> Any:
        async def main() -> Any:
            clock = SystemClock()
            dispatcher = Dispatcher(
                store=None, clock=clock, catalog=catalog, services=SERVICES, endpoint="http://x"
            )
            dispatcher.provide(Credentials, Keys())
            dispatcher.provide(Policies, NoPolicies())
            events: list[dict[str, Any]] = []
            door = front_door(dispatcher, catalog, [Hello()], [events.append])
            server = Server(door, clock)
            port = await server.listen()
            try:
                outcome = work(SimpleNamespace(port=port, events=events))
                return await asyncio.wait_for(
                    asyncio.to_thread(outcome) if callable(outcome) else outcome, 30
                )
            finally:
                assert await server.drain(5)

        return asyncio.run(main())

    return runner


def client(
    cloud,
    service: str,
    key: str = KEY,
    secret: str = SECRET,
    token: str | None = None,
    **config: Any,
):
    return boto3.client(
        service,
        endpoint_url=f"http://localhost:{cloud.port}",
        region_name="eu-west-3",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"max_attempts": 0}, **config),
    )


def code_of(call) -> tuple[str, int]:
    with pytest.raises(ClientError) as refused:
        call()
    answer = refused.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def test_signed_call_runs_as_its_key(cloud):
    def work(c):
        def calls():
            sts = client(c, "sts")
            who = sts.get_caller_identity()
            assert (who["Account"], who["Arn"]) == (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")
            assert who["ResponseMetadata"]["RequestId"] == c.events[0]["request_id"]
            temporary = client(c, "sts", "ASIATEMP", "temp-secret", "the-token")
            assert temporary.get_caller_identity()["Arn"] == USER.arn
            sts.close()
            temporary.close()

        return calls

    cloud(work)


def test_region_is_the_scopes(cloud):
    def work(c):
        def calls():
            dynamodb = client(c, "dynamodb")
            assert dynamodb.list_tables(Limit=7)["TableNames"] == ["eu-west-3", "7"]
            dynamodb.close()

        return calls

    cloud(work)


def test_event_tells_the_request(cloud):
    def work(c):
        def calls():
            dynamodb = client(c, "dynamodb")
            dynamodb.list_tables()
            code_of(lambda: dynamodb.describe_table(TableName="nothere"))
            dynamodb.close()
            good, bad = c.events
            assert good["service"] == "dynamodb"
            assert (good["operation"], good["status"]) == ("ListTables", 200)
            assert (good["account"], good["region"]) == (ACCOUNT, "eu-west-3")
            assert good["spans"]
            assert (bad["error"], bad["status"]) == ("ResourceNotFoundException", 400)
            assert good["trace_id"] != bad["trace_id"]

        return calls

    cloud(work)


# Each refusal in the form of its protocol, for a query, a JSON and two REST services.
SERVICES_AND_CALLS = {
    "sts": lambda c: c.get_caller_identity(),
    "dynamodb": lambda c: c.list_tables(),
    "lambda": lambda c: c.get_function(FunctionName="f"),
    "s3": lambda c: c.get_object(Bucket="bucket", Key="key"),
}
WRONG_SECRET = {
    "sts": ("SignatureDoesNotMatch", 403),
    "dynamodb": ("InvalidSignatureException", 400),
    "lambda": ("InvalidSignatureException", 403),
    "s3": ("SignatureDoesNotMatch", 403),
}
UNKNOWN_KEY = {
    "sts": ("InvalidClientTokenId", 403),
    "dynamodb": ("UnrecognizedClientException", 400),
    "lambda": ("UnrecognizedClientException", 403),
    "s3": ("InvalidAccessKeyId", 403),
}
EXPIRED = {
    "sts": ("ExpiredToken", 403),
    "dynamodb": ("ExpiredTokenException", 400),
    "lambda": ("ExpiredTokenException", 403),
    "s3": ("ExpiredToken", 400),
}


@pytest.mark.parametrize("service", SERVICES_AND_CALLS)
def test_false_credentials_are_refused_in_the_services_words(cloud, service):
    def work(c):
        def calls():
            call = SERVICES_AND_CALLS[service]
            for key, secret, token, expected in [
                (KEY, "wrong", None, WRONG_SECRET),
                ("AKIANOBODY", SECRET, None, UNKNOWN_KEY),
                (KEY, SECRET, "a-token", UNKNOWN_KEY),
                ("ASIATEMP", "temp-secret", None, UNKNOWN_KEY),
                ("ASIATEMP", "temp-secret", "another", UNKNOWN_KEY),
                ("ASIAOVER", "temp-secret", "the-token", EXPIRED),
            ]:
                one = client(c, service, key, secret, token)
                assert code_of(lambda one=one: call(one)) == expected[service], (key, token)
                one.close()

        return calls

    cloud(work)


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("sts", ("MissingAuthenticationToken", 403)),
        ("dynamodb", ("MissingAuthenticationTokenException", 400)),
        ("s3", ("AccessDenied", 403)),
    ],
)
def test_unsigned_call_is_refused(cloud, service, expected):
    def work(c):
        def calls():
            one = client(c, service, signature_version=UNSIGNED)
            assert code_of(lambda: SERVICES_AND_CALLS[service](one)) == expected
            one.close()

        return calls

    cloud(work)


def test_unsigned_call_reaches_an_operation_that_takes_it(cloud):
    def work(c):
        def calls():
            sts = client(c, "sts", signature_version=UNSIGNED)
            answer = sts.assume_role_with_web_identity(
                RoleArn="arn:aws:iam::123456789012:role/name",
                RoleSessionName="name",
                WebIdentityToken="token",
            )
            assert answer["Provider"] == "anonymous"
            sts.close()

        return calls

    cloud(work)


def test_caller_without_permission_is_refused(cloud):
    def work(c):
        def calls():
            dynamodb = client(c, "dynamodb", "AKIAUSER", "user-secret")
            assert code_of(dynamodb.list_tables) == ("AccessDeniedException", 400)
            dynamodb.close()

        return calls

    cloud(work)


def test_operation_that_is_not_there_is_a_501_before_its_signature(cloud, caplog):
    def work(c):
        def calls():
            for secret in (SECRET, "wrong"):
                dynamodb = client(c, "dynamodb", secret=secret)
                assert code_of(lambda one=dynamodb: one.describe_limits())[1] == 501
                dynamodb.close()
            sqs = client(c, "sqs")
            assert code_of(sqs.list_queues)[1] == 501
            sqs.close()

        return calls

    cloud(work)
    assert "dynamodb.DescribeLimits" in caplog.text
    assert "sqs" in caplog.text


def test_failure_of_ours_shows_nothing_of_its_cause(cloud, caplog):
    def work(c):
        def calls():
            dynamodb = client(c, "dynamodb")
            with pytest.raises(ClientError) as refused:
                dynamodb.describe_table(TableName="broken")
            answer = refused.value.response
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == 500
            assert "secret detail" not in json.dumps(answer, default=str)
            dynamodb.close()

        return calls

    cloud(work)
    assert caplog.text.count("RuntimeError: secret detail") == 1


def test_objects_stream_up_and_down(cloud):
    def work(c):
        def calls():
            s3 = client(c, "s3")
            got = s3.get_object(Bucket="bucket", Key="a b/ü+%.txt")
            assert got["Body"].read() == "bucket/a b/ü+%.txt;".encode() * 3
            stored = s3.put_object(Bucket="bucket", Key="k", Body=b"x" * 100_000)
            assert stored["ETag"] == '"100000"'
            s3.close()

        return calls

    cloud(work)


def signed_raw(method, url, service="s3", headers=(), body=b"", signer=S3SigV4Auth, host=None):
    request = AWSRequest(method, url, headers=dict(headers), data=body)
    if host:
        request.headers["Host"] = host
    signer(BotoCredentials(KEY, SECRET), service, "us-east-1").add_auth(request)
    return request


async def exchange(port: int, method: str, target: str, headers, body: bytes = b""):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    writer.write("\r\n".join(lines).encode() + body)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, content = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), head.decode("latin-1").lower(), content


@pytest.mark.parametrize(
    "host",
    ["my.bucket.s3.localhost:4566", "my.bucket.s3.eu-west-3.localhost", "MY.bucket.s3.localhost"],
)
def test_virtual_host_is_read_as_a_bucket_and_verified_as_sent(cloud, host):
    async def work(c):
        request = signed_raw("GET", f"http://{host}/some/key", host=host)
        headers = list(request.headers.items())
        status, _, body = await exchange(c.port, "GET", "/some/key", headers)
        assert status == 200
        assert body.lower().startswith(b"my.bucket/some/key;")
        status, _, body = await exchange(c.port, "GET", "/my.bucket/some/key", headers)
        assert (status, b"SignatureDoesNotMatch" in body) == (403, True)

    cloud(work)


def test_body_that_was_not_signed_is_refused(cloud):
    async def work(c):
        request = signed_raw("PUT", f"http://localhost:{c.port}/bucket/key", body=b"good")
        headers = [("Host", f"localhost:{c.port}"), *request.headers.items()]
        assert (await exchange(c.port, "PUT", "/bucket/key", headers, b"good"))[0] == 200
        status, _, body = await exchange(c.port, "PUT", "/bucket/key", headers, b"evil")
        assert status == 400
        assert b"<Code>XAmzContentSHA256Mismatch</Code>" in body

    cloud(work)


def test_json_body_that_was_not_signed_is_refused(cloud):
    async def work(c):
        extra = {
            "X-Amz-Target": "DynamoDB_20120810.ListTables",
            "Content-Type": "application/x-amz-json-1.0",
        }
        request = signed_raw(
            "POST", f"http://localhost:{c.port}/", "dynamodb", extra, b"{}", SigV4Auth
        )
        headers = [("Host", f"localhost:{c.port}"), *request.headers.items()]
        assert (await exchange(c.port, "POST", "/", headers, b"{}"))[0] == 200
        status, _, body = await exchange(c.port, "POST", "/", headers, b"[]")
        assert status == 400
        assert b"InvalidSignatureException" in body
        status, _, body = await exchange(
            c.port,
            "POST",
            "/",
            [(name, value.replace("ListTables", "DescribeTable")) for name, value in headers],
            b"{}",
        )
        assert (status, b"InvalidSignatureException" in body) == (400, True)

    cloud(work)


def test_malformed_body_is_refused_after_its_signature(cloud):
    async def work(c):
        extra = {
            "X-Amz-Target": "DynamoDB_20120810.ListTables",
            "Content-Type": "application/x-amz-json-1.0",
        }
        for body, expected in (
            (b"{", b"SerializationException"),
            (b'{"Limit": "x"}', b"Serial"),
            (b'{"Limit": 0}', b"ValidationException"),
        ):
            request = signed_raw(
                "POST", f"http://localhost:{c.port}/", "dynamodb", extra, body, SigV4Auth
            )
            headers = [("Host", f"localhost:{c.port}"), *request.headers.items()]
            status, _, answer = await exchange(c.port, "POST", "/", headers, body)
            assert (status, expected in answer) == (400, True), answer

    cloud(work)


def test_oversized_body_is_refused_unread(cloud):
    async def work(c):
        headers = [
            ("Host", "localhost"),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Expect", "100-continue"),
        ]
        reader, writer = await asyncio.open_connection("127.0.0.1", c.port)
        lines = ["POST / HTTP/1.1", *(f"{n}: {v}" for n, v in headers), "Content-Length: 99999999"]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"RequestEntityTooLarge" in answer

    cloud(work)


def test_truncated_chunk_is_an_incomplete_body(cloud):
    async def work(c):
        wire = b"5\r\nhello\r\n"
        extra = {
            "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "x-amz-decoded-content-length": "10",
            "x-amz-trailer": "x-amz-checksum-crc32",
        }

        class Signer(S3SigV4Auth):
            def payload(self, request):
                return extra["x-amz-content-sha256"]

        request = signed_raw(
            "PUT", f"http://localhost:{c.port}/b/key", headers=extra, signer=Signer
        )
        headers = {name.lower(): value for name, value in request.headers.items()}
        headers["x-amz-content-sha256"] = extra["x-amz-content-sha256"]
        pairs = [("Host", f"localhost:{c.port}"), *headers.items()]
        status, _, body = await exchange(c.port, "PUT", "/b/key", pairs, wire)
        assert (status, b"<Code>IncompleteBody</Code>" in body) == (400, True), body

    cloud(work)


def test_caller_may_continue_a_trace(cloud):
    async def work(c):
        root = "1-5759e988-bd862e3fe1be46a994272793"
        headers = [
            ("Host", "localhost"),
            ("X-Amzn-Trace-Id", f"Root={root};Parent=53995c3f42cd8ad8;Sampled=1"),
        ]
        await exchange(c.port, "GET", "/", headers)
        assert (c.events[0]["trace_id"], c.events[0]["parent_id"]) == (root, "53995c3f42cd8ad8")
        await exchange(
            c.port, "GET", "/", [("Host", "localhost"), ("X-Amzn-Trace-Id", "Root=<script>;Self=1")]
        )
        assert c.events[1]["trace_id"].startswith("1-")

    cloud(work)


def test_browser_may_ask_first(cloud):
    async def work(c):
        asked = [
            ("Host", "localhost"),
            ("Origin", "http://page"),
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "authorization,x-amz-target"),
        ]
        status, head, _ = await exchange(c.port, "OPTIONS", "/", asked)
        assert status == 200
        assert "access-control-allow-origin: *" in head
        assert "access-control-allow-headers: authorization,x-amz-target" in head
        _, head, _ = await exchange(c.port, "POST", "/", asked[:2])
        assert "access-control-allow-origin: *" in head

    cloud(work)


def test_surface_has_the_first_refusal(cloud, caplog):
    async def work(c):
        host = [("Host", "hello.localhost")]
        assert (await exchange(c.port, "GET", "/", host))[2] == b"hello"
        assert c.events[0]["surface"] == "hello"
        status, _, body = await exchange(c.port, "GET", "/broken", host)
        assert (status, body) == (500, b'{"message":"Internal Server Error"}')
        status, _, body = await exchange(c.port, "GET", "/refused", host)
        assert (status, body) == (429, b'{"message":"Too Many Requests"}')

    cloud(work)
    assert "secret detail" in caplog.text


def test_surface_takes_web_sockets(cloud):
    import websockets

    async def work(c):
        address = {"host": "127.0.0.1", "port": c.port}
        async with websockets.connect("ws://hello.localhost/open", **address) as socket:
            assert await socket.recv() == "hello"
        for url, status in (("ws://hello.localhost/no", 403), ("ws://localhost/open", 404)):
            with pytest.raises(websockets.InvalidStatus) as refused:
                await websockets.connect(url, **address)
            assert refused.value.response.status_code == status

    cloud(work)


def test_request_for_nothing_known_is_answered_in_words(cloud):
    async def work(c):
        status, head, body = await exchange(c.port, "GET", "/", [("Host", "localhost")])
        assert status in (400, 404)
        assert "x-amzn-requestid" in head
        assert b"Error" in body or b"Exception" in body

    cloud(work)
