"""What tests of traces share: functions, and the segments of a trace once they are there."""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.conftest import Cloud
from tests.services.lambda_.conftest import ALLOW_ALL, ECHO, TRUST, pack, unique

WAIT_SECONDS = 60.0
"""How long tests wait for what is published later."""

Document = dict[str, Any]


class Trail:
    """One trace: the header that names it, and its segments."""

    def __init__(self, cloud: Cloud, header: str = "") -> None:
        self.cloud = cloud
        self.id = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
        if header:
            self.id = header.partition("Root=")[2].partition(";")[0]
        self.header = f"Root={self.id};Sampled=1"

    def client(self, service: str, header: str = "") -> Any:
        """A client whose calls belong to this trace."""
        made = self.cloud.client(service)

        def name(params: Any, **_: Any) -> None:
            params["headers"]["X-Amzn-Trace-Id"] = header or self.header

        made.meta.events.register(f"before-call.{service}", name)
        return made

    def documents(self) -> list[Document]:
        """The segments that are there by now."""
        traces = self.cloud.client("xray").batch_get_traces(TraceIds=[self.id])["Traces"]
        return [json.loads(one["Document"]) for trace in traces for one in trace["Segments"]]

    def wait(self, *wanted: tuple[str, str]) -> list[Document]:
        """The segments, once each wanted one is there: by name and origin, or namespace or type."""
        until = time.monotonic() + WAIT_SECONDS
        while True:
            documents = self.documents()
            seen = {(one["name"], kind_of(one)) for one in documents}
            if seen >= set(wanted):
                return documents
            assert time.monotonic() < until, f"{set(wanted) - seen} never came; there are {seen}"
            threading.Event().wait(0.1)

    def graph(self) -> dict[str, set[str]]:
        """Who calls whom: types of services with the types of those that they call."""
        services = self.cloud.client("xray").get_trace_graph(TraceIds=[self.id])["Services"]
        types = {one["ReferenceId"]: one["Type"] for one in services}
        found: dict[str, set[str]] = {}
        for one in services:
            calls = {types[edge["ReferenceId"]] for edge in one["Edges"]}
            found[one["Type"]] = found.get(one["Type"], set()) | calls
        return found


def kind_of(document: Document) -> str:
    return str(document.get("origin") or document.get("namespace") or document.get("type"))


def one(documents: list[Document], name: str, kind: str) -> Document:
    """The segment of that name and kind, of which there is just one."""
    (found,) = [each for each in documents if (each["name"], kind_of(each)) == (name, kind)]
    return found


def part(document: Document, name: str) -> Document:
    """The subsegment of that name, of which there is just one."""
    (found,) = [each for each in document["subsegments"] if each["name"] == name]
    return found  # type: ignore[no-any-return]  # Documents are JSON.


@pytest.fixture(scope="session")
def recorded(cloud: Cloud) -> Cloud:
    """A cloud in which every trace that begins is recorded."""
    rule = {
        "RuleName": "everything",
        "ResourceARN": "*",
        "Priority": 100,
        "FixedRate": 1.0,
        "ReservoirSize": 100,
        "ServiceName": "*",
        "ServiceType": "*",
        "Host": "*",
        "HTTPMethod": "*",
        "URLPath": "*",
        "Version": 1,
    }
    cloud.client("xray").create_sampling_rule(SamplingRule=rule)
    return cloud


@pytest.fixture
def trail(recorded: Cloud) -> Trail:
    return Trail(recorded)


@pytest.fixture(scope="session")
def role(cloud: Cloud) -> str:
    """A role that Lambda may assume and that may do everything."""
    iam = cloud.client("iam")
    name = unique("traced")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(ALLOW_ALL))
    return str(arn)


@pytest.fixture
def make(cloud: Cloud, role: str) -> Iterator[Callable[..., str]]:
    """Makes a traced function from its text, or from a package, and answers its name."""
    lam = cloud.client("lambda")
    made: list[str] = []

    def make_function(text: str = ECHO, package: bytes = b"", **settings: Any) -> str:
        name = unique("f")
        lam.create_function(
            **{
                "FunctionName": name,
                "Role": role,
                "Runtime": "python3.11",
                "Handler": "index.handler",
                "Timeout": 60,
                "Code": {"ZipFile": package or pack(text)},
                "TracingConfig": {"Mode": "Active"},
                **settings,
            }
        )
        lam.get_waiter("function_active_v2").wait(
            FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        made.append(name)
        return name

    yield make_function
    for name in made:
        with contextlib.suppress(lam.exceptions.ResourceNotFoundException):
            lam.delete_function(FunctionName=name)


def wait_until(what: Callable[[], Any]) -> Any:
    """What the call answers, once that is something."""
    until = time.monotonic() + WAIT_SECONDS
    while not (found := what()):
        assert time.monotonic() < until, "it never came"
        threading.Event().wait(0.2)
    return found
