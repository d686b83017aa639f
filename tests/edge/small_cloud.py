"""A front door with a few small services, declared through the kit, and known keys."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

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
from cumulet.kit.surface import Welcome
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
        return Welcome(self.converse) if request.path == "/open" else Response(403)

    async def converse(self, socket):
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
            door = front_door(
                dispatcher, catalog, [Hello()], [lambda trace: events.append(trace.event())]
            )
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
