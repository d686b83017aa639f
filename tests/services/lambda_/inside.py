"""A whole platform in the test's own process, for what a client cannot move: time, and steps."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.services.lambda_.conftest import ALLOW_ALL, TRUST, pack, unique

from cumulet.app.accounts import ensure_keys
from cumulet.app.compose import compose
from cumulet.app.config import DEFAULT_ACCOUNT, Config
from cumulet.core.clock import SystemClock
from cumulet.core.context import Context
from cumulet.core.identity import Scope, root_principal
from cumulet.kv.contract import Store
from cumulet.services.lambda_ import store as records
from cumulet.services.lambda_.model import Event
from cumulet.services.lambda_.running.queue import EventQueue

SCOPE = Scope(DEFAULT_ACCOUNT, "us-east-1")


class Shifted(SystemClock):
    """The machine's clock, put forward by a test."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:  # type: ignore[override]
        return SystemClock.now() + self.ahead


class Inside:
    """The platform; its background work moves only when told."""

    def __init__(self, platform: Any, clock: Shifted) -> None:
        self.platform = platform.dispatcher
        self.clock = clock
        self.role = ""
        self.bucket = unique("bucket")

    def context(self) -> Context:
        made: Context = self.platform.context(SCOPE, root_principal(DEFAULT_ACCOUNT))
        return made

    async def call(self, service: str, operation: str, **request: Any) -> Any:
        return await self.context().call(service, operation, **request)

    async def prepare(self) -> None:
        name = unique("role")
        made = await self.call(
            "iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST)
        )
        await self.call(
            "iam",
            "PutRolePolicy",
            RoleName=name,
            PolicyName="all",
            PolicyDocument=json.dumps(ALLOW_ALL),
        )
        self.role = made["Role"]["Arn"]
        await self.call("s3", "CreateBucket", Bucket=self.bucket)

    async def function(self, text: str, **more: Any) -> str:
        name = unique("f")
        await self.call(
            "lambda",
            "CreateFunction",
            FunctionName=name,
            Role=self.role,
            Runtime="python3.11",
            Handler="index.handler",
            Code={"ZipFile": pack(text)},
            Timeout=30,
            MemorySize=256,
            **more,
        )
        return name

    async def send(self, name: str, *, fails: bool) -> Any:
        payload = json.dumps({"bucket": self.bucket, "fails": fails}).encode()
        return await self.call(
            "lambda", "Invoke", FunctionName=name, InvocationType="Event", Payload=payload
        )

    async def events(self) -> list[Event]:
        found: list[Event] = await self.platform.transact(records.scan_due, SCOPE, 100)
        return found

    async def step(self) -> list[Event]:
        """Carry out what is due; gives the queue as it is when that has ended."""
        due = [event for event in await self.events() if event.due <= self.clock.now()]
        changes = self.platform.need(Store).watch(records.EVENTS.prefix(records.NOWHERE))
        try:
            await self.platform.need(EventQueue).step()
            while True:
                now = await self.events()
                if all(event not in now for event in due):
                    return now
                assert await changes.wait(30), "an event was not carried out"
        finally:
            changes.cancel()

    async def keys(self, prefix: str) -> list[str]:
        listed = await self.call("s3", "ListObjectsV2", Bucket=self.bucket, Prefix=prefix)
        return [each["Key"] for each in listed.get("Contents", ())]

    async def read(self, key: str) -> Any:
        got = await self.call("s3", "GetObject", Bucket=self.bucket, Key=key)
        body = got["Body"]
        content = body if isinstance(body, bytes) else b"".join([each async for each in body])
        return json.loads(content)


def run_inside(data: Path, story: Callable[[Inside], Awaitable[None]]) -> None:
    """Run a test's coroutine within a platform of its own."""

    async def whole() -> None:
        clock = Shifted()
        platform = compose(Config(data), clock=clock)
        platform.dispatcher.endpoint = "http://127.0.0.1:9"
        await ensure_keys(platform)
        for part in platform.parts:
            await part.start()
        try:
            here = Inside(platform, clock)
            await here.prepare()
            await story(here)
        finally:
            await platform.stop()

    asyncio.run(whole())
