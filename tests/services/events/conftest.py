"""Buses, rules and queues of a test's own, and a platform whose time a test can move."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Cloud

ACCOUNT = "000000000000"
ALLOW_ALL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def opened(service: str) -> str:
    """The policy of a queue that a service may send to."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "*",
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trust(service: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Stand:
    """Clients of a cloud, and what the tests of events make with them."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.events = cloud.client("events")
        self.sqs = cloud.client("sqs", read_timeout=40)
        self.source = unique("source")

    def queue(self, policy: str = opened("events.amazonaws.com"), **attributes: str) -> str:
        name = unique("queue") + (".fifo" if "FifoQueue" in attributes else "")
        if policy:
            attributes["Policy"] = policy
        url: str = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url

    def arn(self, url: str) -> str:
        has = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn: str = has["Attributes"]["QueueArn"]
        return arn

    def role(self, service: str, policy: Any = None) -> str:
        """A role that the service may take on, with all permissions unless a policy is given."""
        iam = self.cloud.client("iam")
        name = unique("role")
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(service))["Role"]
        document = json.dumps(ALLOW_ALL if policy is None else policy)
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document)
        arn: str = made["Arn"]
        return arn

    def rule(self, *targets: dict[str, Any], **settings: Any) -> str:
        """A rule for this test's source, with targets."""
        name = unique("rule")
        settings.setdefault("EventPattern", json.dumps({"source": [self.source]}))
        arn: str = self.events.put_rule(Name=name, **settings)["RuleArn"]
        bus = {key: settings[key] for key in ("EventBusName",) if key in settings}
        if targets:
            answer = self.events.put_targets(Rule=name, Targets=list(targets), **bus)
            assert answer["FailedEntryCount"] == 0
        return arn

    def put(self, detail: Any = None, **more: Any) -> str:
        entry = {
            "Source": self.source,
            "DetailType": "test",
            "Detail": json.dumps({} if detail is None else detail),
            **more,
        }
        answer = self.events.put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0, answer
        name: str = answer["Entries"][0]["EventId"]
        return name

    def take(self, url: str, count: int = 1, seconds: float = 30) -> list[dict[str, Any]]:
        """Messages of a queue as they come, at least so many."""
        found: list[dict[str, Any]] = []
        until = time.monotonic() + seconds
        while len(found) < count and time.monotonic() < until:
            answer = self.sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=10,
                WaitTimeSeconds=2,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            for message in answer.get("Messages", []):
                found.append(message)
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        assert len(found) >= count, f"only {found} came"
        return found

    def bodies(self, url: str, count: int = 1) -> list[Any]:
        return [json.loads(message["Body"]) for message in self.take(url, count)]


@pytest.fixture
def stand(cloud: Cloud) -> Stand:
    return Stand(cloud)


@pytest.fixture
def refusal() -> Callable[..., tuple[str, str]]:
    """The code and message with which a call is refused."""

    def read(call: Any, **words: Any) -> tuple[str, str]:
        with pytest.raises(ClientError) as caught:
            call(**words)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]

    return read


class Inside:
    """A platform in the test's process, whose clock and workers move only when told."""

    def __init__(self, platform: Any, clock: Any) -> None:
        from cumulet.core.identity import Scope, root_principal

        self.platform = platform.dispatcher
        self.clock = clock
        self._scope = Scope(ACCOUNT, "us-east-1")
        self._root = root_principal(ACCOUNT)

    async def call(self, service: str, operation: str, **request: Any) -> Any:
        ctx = self.platform.context(self._scope, self._root)
        return await ctx.call(service, operation, **request)

    async def queue(self, policy: str) -> tuple[str, str]:
        """The URL and the ARN of a new queue."""
        name = unique("queue")
        made = await self.call("sqs", "CreateQueue", QueueName=name, Attributes={"Policy": policy})
        return made["QueueUrl"], f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"

    async def role(self, service: str) -> str:
        name = unique("role")
        made = await self.call(
            "iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=trust(service)
        )
        document = json.dumps(ALLOW_ALL)
        await self.call(
            "iam", "PutRolePolicy", RoleName=name, PolicyName="p", PolicyDocument=document
        )
        arn: str = made["Role"]["Arn"]
        return arn

    async def settle(self, deliveries: type) -> None:
        """Carry out the deliveries that are due, and wait until that has ended."""
        part = self.platform.need(deliveries)
        await part.step()
        while part._tasks._held:
            await asyncio.wait(set(part._tasks._held))
            await part.step()

    async def messages(self, url: str) -> list[Any]:
        got = await self.call("sqs", "ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10)
        found = got.get("Messages", [])
        for one in found:
            handle = one["ReceiptHandle"]
            await self.call("sqs", "DeleteMessage", QueueUrl=url, ReceiptHandle=handle)
        return [json.loads(one["Body"]) for one in found]


def run_inside(data: Path, story: Callable[[Inside], Awaitable[None]], start: float) -> None:
    """Run a test's coroutine within a platform of its own, whose clock starts at `start`."""
    from cumulet.app.accounts import ensure_keys
    from cumulet.app.compose import compose
    from cumulet.app.config import Config
    from cumulet.core.clock import ManualClock

    async def whole() -> None:
        clock = ManualClock(start)
        platform = compose(Config(data), clock=clock)
        platform.dispatcher.endpoint = "http://127.0.0.1:9"
        await ensure_keys(platform)
        try:
            await story(Inside(platform, clock))
        finally:
            await platform.stop()

    asyncio.run(whole())


@pytest.fixture
def inside(tmp_path: Path) -> Callable[..., None]:
    def run(story: Callable[[Inside], Awaitable[None]], start: float = 1_790_000_000.0) -> None:
        run_inside(tmp_path / "data", story, start)

    return run
