"""A cloud in this process with CloudFormation and a small world of things that stacks can make."""

from __future__ import annotations

import asyncio
import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

from cumulet.core.clock import SystemClock
from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope, root_principal
from cumulet.kit.dispatch import Dispatcher
from cumulet.kit.ports import Sealer
from cumulet.kit.resources import (
    JSON,
    NUMBER,
    TAGS,
    TEXT,
    Draft,
    PartlyMade,
    Props,
    Provisioned,
    ResourceType,
    ResourceTypes,
    list_of,
    struct,
)
from cumulet.kit.service import Service, operation
from cumulet.kit.workers import Workers
from cumulet.kv.contract import Store
from cumulet.kv.memory import MemoryStore
from cumulet.services import cloudformation
from cumulet.services.cloudformation.engine.apply import Engine
from cumulet.services.cloudformation.model import Stack
from cumulet.services.cloudformation.store import load_run, load_stack
from cumulet.wire.catalog import Catalog

SCOPE = Scope("123456789012", "eu-west-1")
_CATALOG = Catalog(Path(tempfile.gettempdir()) / "cumulet-test-models")


class Refused(AwsError):
    """The world does not do that."""


class World:
    """What stacks make: things by name. It outlives the processes that make them.

    A property `Fail` with `create`, `update`, `delete` or `half` makes that verb fail; `gate` names
    let a thing's creation wait until the test opens it.
    """

    def __init__(self) -> None:
        self.things: dict[str, dict[str, Any]] = {}
        self.log: list[str] = []
        self.objects: dict[tuple[str, str], bytes] = {}
        self.parameters: dict[str, str] = {}
        self.broken: set[str] = set()
        self.gates: dict[str, asyncio.Event] = {}
        self.begun = asyncio.Event()
        self.most_at_once = 0
        self._now = 0

    async def create(self, ctx: Context, props: Props, draft: Draft) -> Provisioned:
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            return await self._create(props, draft)
        finally:
            self._now -= 1

    async def _create(self, props: Props, draft: Draft) -> Provisioned:
        if draft.logical_id in self.gates:
            self.begun.set()
            await self.gates[draft.logical_id].wait()
        await SystemClock().sleep(0)
        if props.get("Fail") == "create":
            raise Refused(f"{draft.logical_id} cannot be made")
        name = props.get("Name") or draft.name(64)
        if name in self.things and self.things[name]["token"] != draft.token:
            raise Refused(f"{name} already exists", code="AlreadyExists")
        if name not in self.things:
            self.log.append(f"create {draft.logical_id}")
            self.things[name] = {"token": draft.token, "props": dict(props), "version": 1}
        if props.get("Fail") == "half":
            raise PartlyMade(name) from Refused("it was made only half")
        return self._made(name)

    def _made(self, name: str) -> Provisioned:
        thing = self.things[name]
        return Provisioned(
            name, {"Arn": f"arn:thing:{name}", "Size": thing["props"].get("Size", 0)}
        )

    async def update(
        self, ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
    ) -> Provisioned:
        await SystemClock().sleep(0)
        if new.get("Fail") == "update" or draft.logical_id in self.broken:
            raise Refused(f"{draft.logical_id} cannot be changed")
        self.log.append(f"update {draft.logical_id}")
        self.things[physical_id]["props"] = dict(new)
        return self._made(physical_id)

    async def delete(self, ctx: Context, physical_id: str, props: Props) -> None:
        await SystemClock().sleep(0)
        if props.get("Fail") == "delete" and "mended" not in self.broken:
            raise Refused(f"{physical_id} cannot be deleted")
        if self.things.pop(physical_id, None) is not None:
            self.log.append(f"delete {physical_id}")

    async def read(self, ctx: Context, physical_id: str, props: Props) -> Props | None:
        thing = self.things.get(physical_id)
        return None if thing is None else thing["props"]

    def types(self) -> tuple[ResourceType, ...]:
        members = {
            "Name": TEXT,
            "Size": NUMBER,
            "Kind": TEXT,
            "Needs": list_of(TEXT),
            "Fail": TEXT,
            "Document": JSON,
            "Tags": TAGS,
        }
        thing = ResourceType(
            name="AWS::Test::Thing",
            properties=struct(members),
            create=self.create,
            update=self.update,
            delete=self.delete,
            read=self.read,
            replace_on=frozenset(("Name", "Kind")),
            attributes=frozenset(("Arn", "Size")),
        )
        role = ResourceType(
            name="AWS::IAM::Role",
            properties=struct({"RoleName": TEXT}),
            create=self.create,
            delete=self.delete,
            attributes=frozenset(("Arn",)),
        )
        return thing, role

    def services(self) -> tuple[Service, ...]:
        """S3 and SSM as far as templates read from them."""

        @operation("GetObject")
        async def get_object(ctx: Context, request: Any) -> dict[str, Any]:
            body = self.objects.get((request["Bucket"], request["Key"]))
            if body is None:
                raise AwsError("The specified key does not exist.", code="NoSuchKey")
            return {"Body": body}

        @operation("GetParameters")
        async def get_parameters(ctx: Context, request: Any) -> dict[str, Any]:
            found = [
                {"Name": name, "Value": self.parameters[name], "Type": "String"}
                for name in request["Names"]
                if name in self.parameters
            ]
            return {"Parameters": found, "InvalidParameters": []}

        named = {f.__operation__.name: f.__operation__ for f in (get_object, get_parameters)}
        return (
            Service("s3", "s3", {"GetObject": named["GetObject"]}),
            Service("ssm", "ssm", {"GetParameters": named["GetParameters"]}),
        )


class PlainSealer:
    """Marks what is sealed and does not hide it: what a test needs of the port."""

    def seal(self, plain: bytes, purpose: str) -> bytes:
        return hashlib.sha256(purpose.encode()).digest()[:4] + plain

    def unseal(self, sealed: bytes, purpose: str) -> bytes:
        assert sealed[:4] == hashlib.sha256(purpose.encode()).digest()[:4]
        return sealed[4:]


class Stand:
    """One process of the cloud over a store and a world that outlive it."""

    def __init__(self, world: World, store: Any = None, real: tuple[Service, ...] = ()) -> None:
        """With `real` services, stacks are made of their types and not of the world's things."""
        self.world = world
        self.store = store if store is not None else MemoryStore()
        services = (cloudformation.SERVICE, *(real or world.services()))
        self.dispatcher = Dispatcher(
            store=self.store,
            clock=SystemClock(),
            catalog=_CATALOG,
            services=services,
            endpoint="http://127.0.0.1:4566",
        )
        self.dispatcher.provide(Sealer, PlainSealer())
        self.dispatcher.provide(Store, self.store)
        types = [one for service in services for one in service.resources]
        if not real:
            types.extend(world.types())
        self.dispatcher.provide(ResourceTypes, ResourceTypes(types))
        for service in services:
            if service.provides is not None:
                for kind, part in service.provides(self.dispatcher).items():
                    self.dispatcher.provide(kind, part)
        self.engine = self.dispatcher.need(Engine)
        self.workers = Workers(self.dispatcher, self.store, SystemClock(), shared=False)

    async def __aenter__(self) -> Stand:
        self.workers.start(cloudformation.SERVICE.workers)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.workers.stop()
        await self.engine.stop()

    def context(self) -> Context:
        return self.dispatcher.context(SCOPE, root_principal(SCOPE.account))

    async def call(self, name: str, /, **request: Any) -> Any:
        """An operation as the account itself."""
        if isinstance(request.get("TemplateBody"), dict):
            request["TemplateBody"] = json.dumps(request["TemplateBody"])
        return await self.context().call("cloudformation", name, **request)

    async def settled(self, name: str) -> Stack:
        """The stack when nothing more happens with it."""
        found = await self.dispatcher.transact(load_stack, SCOPE, name)
        assert found is not None
        async with asyncio.timeout(20):
            return await self.engine.wait_until_idle(None, SCOPE, found.id)

    async def create(self, name: str, template: dict[str, Any], **request: Any) -> Stack:
        answer = await self.call("CreateStack", StackName=name, TemplateBody=template, **request)
        return await self.settled(answer["StackId"])

    async def update(self, name: str, template: dict[str, Any], **request: Any) -> Stack:
        answer = await self.call("UpdateStack", StackName=name, TemplateBody=template, **request)
        return await self.settled(answer["StackId"])

    async def delete(self, name: str, **request: Any) -> Stack:
        found = await self.dispatcher.transact(load_stack, SCOPE, name)
        await self.call("DeleteStack", StackName=name, **request)
        return await self.settled(found.arn)

    async def is_idle(self, stack_id: str) -> bool:
        return await self.dispatcher.transact(load_run, SCOPE, stack_id) is None

    async def events(self, name: str) -> list[tuple[str, str, str]]:
        """(logical id, status, reason), the oldest first."""
        answer = await self.call("DescribeStackEvents", StackName=name)
        return [
            (e["LogicalResourceId"], e["ResourceStatus"], e.get("ResourceStatusReason", ""))
            for e in reversed(answer["StackEvents"])
        ]


def thing(**props: Any) -> dict[str, Any]:
    """A thing in a template."""
    depends = props.pop("DependsOn", None)
    more = {k: props.pop(k) for k in ("DeletionPolicy", "UpdateReplacePolicy") if k in props}
    resource: dict[str, Any] = {"Type": "AWS::Test::Thing", "Properties": props, **more}
    return {**resource, "DependsOn": depends} if depends else resource


def template(resources: dict[str, Any], **sections: Any) -> dict[str, Any]:
    """A template with these resources."""
    return {"Resources": resources, **sections}


def run(work: Any) -> Any:
    """Run a test's coroutine."""
    return asyncio.run(work)
