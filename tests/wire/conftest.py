"""botocore's protocol test vectors as cases for our readers and writers, and the service catalog.

A test that takes `input_vector`, `output_vector` or `error_vector` runs once for each of them.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import AsyncIterator, Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cumulet.core.http import BytesBody, Headers, Request
from cumulet.wire.catalog import Catalog
from cumulet.wire.model import OperationModel, ServiceModel, Shape

FOLDER = Path(__file__).parents[2] / ".cache" / "protocol-vectors" / version("botocore")
AUTO_TOKEN = "00000000-0000-4000-8000-000000000000"
PLACED = ("header", "headers", "querystring")
NAMES_PER_PROTOCOL = {"smithy-rpc-v2-cbor": "cbor"}


class Case(NamedTuple):
    """One vector: the model it comes with, and what it says."""

    name: str
    protocol: str
    suite: dict[str, Any]
    case: dict[str, Any]

    def description(self) -> dict[str, Any]:
        """A service description with this one operation."""
        given = dict(self.case["given"])
        if self.protocol == "query" and "output" in given:
            given["output"] = {**given["output"], "resultWrapper": f"{given['name']}Result"}
        metadata = {"endpointPrefix": "vector", "jsonVersion": "1.0", **self.suite["metadata"]}
        return {
            "metadata": metadata,
            "operations": {given["name"]: given},
            "shapes": self.suite["shapes"],
        }

    def operation(self) -> OperationModel:
        description = self.description()
        model = ServiceModel("vector", description["metadata"], lambda: description)
        found = model.operation(self.case["given"]["name"])
        assert found is not None
        return found

    def request(self) -> tuple[Request, bytes]:
        """What the client sends."""
        told = self.case["serialized"]
        path, _, query = told.get("uri", "/").partition("?")
        content = told.get("body") or ""
        body = base64.b64decode(content) if self.protocol == "cbor" else content.encode()
        headers = Headers(list(told.get("headers", {}).items()))
        method = told.get("method", self.case["given"].get("http", {}).get("method", "POST"))
        return Request(method, path, query, headers, BytesBody(body)), body

    def parameters(self) -> Any:
        """What the client was called with, less what it does not send, as operations take it."""
        shape = self.operation().input
        return plain(as_values(shape, _sent(shape, self.case.get("params", {})), lower_keys=True))

    @staticmethod
    def comparable(value: Any) -> Any:
        """A value that compares equal to itself: bodies as bytes, NaN by its name."""
        return plain(value)

    def output(self) -> Any:
        """What the client gives to its caller, as operations give it."""
        return self.values_of(self.operation().output, self.case["result"])

    @staticmethod
    def values_of(shape: Shape | None, told: Any) -> Any:
        """What a vector tells, as operations give it: events as a stream of them."""
        values = as_values(shape, told)
        if shape is not None and isinstance(values, dict):
            for name, member in shape.members.items():
                if member.is_event_stream and isinstance(values.get(name), list):
                    values[name] = _stream(values[name])
        return values

    def expected_result(self) -> Any:
        """What botocore gives to its caller."""
        return self.case["result"]


async def _stream(events: list[Any]) -> AsyncIterator[Any]:
    for event in events:
        yield event


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for fixture, direction, is_error in (
        ("input_vector", "input", False),
        ("output_vector", "output", False),
        ("error_vector", "output", True),
    ):
        if fixture in metafunc.fixturenames:
            cases = [case for case in load(direction) if ("error" in case.case) is is_error]
            metafunc.parametrize(fixture, cases, ids=[case.name for case in cases])


@pytest.fixture(scope="session")
def vector_names() -> Callable[[str], set[str]]:
    return lambda direction: {case.name for case in load(direction)}


@pytest.fixture(scope="session")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return Catalog(tmp_path_factory.mktemp("models"))


def load(direction: str) -> list[Case]:
    """The vectors of `input` or `output`."""
    if not (FOLDER / "complete").is_file():
        raise FileNotFoundError(
            f"The protocol test vectors are not in {FOLDER}: run tools/fetch_vectors.py"
        )
    return list(_cases(direction))


def _cases(direction: str) -> Iterator[Case]:
    for folder in (direction, f"legacy/{direction}"):
        for path in sorted((FOLDER / folder).glob("*.json")):
            for suite_number, suite in enumerate(json.loads(path.read_text())):
                for number, case in enumerate(suite["cases"]):
                    case["given"].setdefault("name", "OperationName")
                    suite.setdefault("shapes", {})
                    told = case.get("id") or f"{suite_number}-{number}"
                    protocol = suite["metadata"]["protocol"]
                    name = f"{folder}/{path.stem}/{told}"
                    yield Case(name, NAMES_PER_PROTOCOL.get(protocol, protocol), suite, case)


def without_nulls(value: Any) -> Any:
    """A structure less the members that are null; lists keep theirs."""
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def _sent(shape: Shape | None, params: dict[str, Any]) -> dict[str, Any]:
    """What a server can know of the parameters.

    Clients send no nulls and no empty lists and maps in headers and queries, fill in a missing
    idempotency token, and send a query key that has a member of its own once, for that member.
    """
    if shape is None:
        return {}
    sent = {
        name: AUTO_TOKEN
        for name, member in shape.members.items()
        if member.traits.get("idempotencyToken")
    }
    named = {
        member.wire_name(name)
        for name, member in shape.members.items()
        if member.location == "querystring" and member.type != "map"
    }
    for name, value in without_nulls(params).items():
        member = shape.members[name]
        if member.location == "querystring" and member.type == "map":
            value = {key: item for key, item in value.items() if key not in named}
        if value not in ([], {}) or member.location not in PLACED:
            sent[name] = value
    return sent


def as_values(shape: Shape | None, value: Any, *, lower_keys: bool = False) -> Any:
    """A vector's JSON as the values that operations use: bytes for blobs, floats for words."""
    if shape is None or value is None or shape.is_document:
        return value
    if isinstance(value, list) and shape.is_event_stream:
        return [as_values(shape, event) for event in value]
    match shape.type:
        case "structure":
            return {
                name: as_values(
                    shape.members.get(name),
                    item,
                    lower_keys=lower_keys and shape.members[name].location == "headers",
                )
                for name, item in value.items()
            }
        case "list":
            return [as_values(shape.member, item) for item in value]
        case "map":
            return {
                (key.lower() if lower_keys else key): as_values(shape.value, item)
                for key, item in value.items()
            }
        case "blob":
            return value.encode() if isinstance(value, str) else value
        case "float" | "double":
            return float(value)
    return value


def plain(value: Any) -> Any:
    """A value that compares equal to itself: bodies as bytes, NaN by its name."""
    if isinstance(value, BytesBody):
        return value.content
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    return value
