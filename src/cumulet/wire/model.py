"""A service's model as the protocols read it: operations and shapes, resolved when first asked for.

The raw dictionaries are botocore's; `catalog.py` finds and loads them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

Raw = Mapping[str, Any]

PROTOCOL_NAMES = {
    "json": "json",
    "query": "query",
    "rest-json": "rest-json",
    "rest-xml": "rest-xml",
    "smithy-rpc-v2-cbor": "cbor",
    "cbor": "cbor",
    "ec2": "ec2",
}
"""Names in models → our names. Of EC2's own protocol only the form of errors is spoken."""


class Shape:
    """One shape as seen from where it is used: the target's traits with the reference's own.

    `type` is one of structure, list, map, string, character, blob, timestamp, boolean, integer,
    long, float, double. `traits` holds everything else the model says (`locationName`, `min`, …).
    """

    __slots__ = (
        "_key",
        "_member",
        "_members",
        "_own_name",
        "_value",
        "name",
        "service",
        "traits",
        "type",
    )

    def __init__(self, service: ServiceModel, name: str, traits: Raw, ref: Raw) -> None:
        self.service = service
        self.name = name
        self.traits = traits
        self.type: str = traits["type"]
        # A structure's own name is only that of a whole document.
        is_structure = self.type == "structure"
        self._own_name: str = (ref if is_structure else traits).get("locationName", "")
        self._members: dict[str, Shape] | None = None
        self._member: Shape | None = None
        self._key: Shape | None = None
        self._value: Shape | None = None

    def __repr__(self) -> str:
        return f"<Shape {self.name} {self.type}>"

    @property
    def members(self) -> dict[str, Shape]:
        """The members of a structure, in the model's order."""
        if self._members is None:
            refs = self.traits.get("members") or {}
            self._members = {name: self.service.resolve(ref) for name, ref in refs.items()}
        return self._members

    @property
    def member(self) -> Shape:
        """What a list holds."""
        if self._member is None:
            self._member = self.service.resolve(self.traits["member"])
        return self._member

    @property
    def key(self) -> Shape:
        """What a map's keys are."""
        if self._key is None:
            self._key = self.service.resolve(self.traits["key"])
        return self._key

    @property
    def value(self) -> Shape:
        """What a map's values are."""
        if self._value is None:
            self._value = self.service.resolve(self.traits["value"])
        return self._value

    @property
    def required(self) -> list[str]:
        """The names of the members that must be there."""
        names: list[str] = self.traits.get("required") or []
        return names

    @property
    def location(self) -> str:
        """Where a member travels: `uri`, `querystring`, `header`, `headers`, `statusCode` or ""."""
        found: str = self.traits.get("location", "")
        return found

    @property
    def is_document(self) -> bool:
        """Whether the value is any JSON at all."""
        return bool(self.traits.get("document"))

    @property
    def is_event_stream(self) -> bool:
        """Whether the value is a stream of events."""
        return bool(self.traits.get("eventstream"))

    def wire_name(self, default: str) -> str:
        """The name on the wire of a member that is called `default` in the model."""
        return self._own_name or default

    @property
    def root_name(self) -> str:
        """The name of the root element of an XML document of this shape."""
        found: str = self.traits.get("locationName") or self.name
        return found


class OperationModel:
    """One operation: its HTTP form and its shapes."""

    def __init__(self, service: ServiceModel, name: str, raw: Raw) -> None:
        http = raw.get("http", {})
        self.service = service
        self.name = name
        self._raw = raw
        self.method: str = http.get("method", "POST")
        self.uri: str = http.get("requestUri", "/")
        self.code: int = http.get("responseCode", 200)
        self.input = service.resolve(raw["input"]) if "input" in raw else None
        self.output = service.resolve(raw["output"]) if "output" in raw else None
        self.compiled: dict[str, Any] = {}
        """Readers, writers and checkers of this operation, made when first needed."""
        self.raw_members: tuple[str, ...] = ()
        """Input members that the operation takes as JSON text, unread and unchecked. To be set
        before the first request; only the JSON RPC protocols look at it.
        """

    def __repr__(self) -> str:
        return f"<OperationModel {self.service.name} {self.name}>"

    @cached_property
    def errors(self) -> list[Shape]:
        """The error shapes that the model lists for this operation."""
        return [self.service.resolve(ref) for ref in self._raw.get("errors", ())]

    @cached_property
    def takes_unsigned(self) -> bool:
        """Whether the model says that the operation needs no signature."""
        return self._raw.get("authtype") == "none" or "smithy.api#noAuth" in self._raw.get(
            "auth", ()
        )

    @cached_property
    def result_wrapper(self) -> str:
        """The element around a query protocol's result, as `GetUserResult`."""
        wrapper: str = self._raw.get("output", {}).get("resultWrapper", "")
        return wrapper

    @property
    def is_deprecated(self) -> bool:
        """Whether the model says that another operation took its place."""
        return bool(self._raw.get("deprecated"))

    @cached_property
    def takes_codings(self) -> bool:
        """Whether clients may compress the request's body; DynamoDB takes it anyway."""
        if self.service.name == "dynamodb":
            return True
        return "gzip" in self._raw.get("requestcompression", {}).get("encodings", ())

    @cached_property
    def streaming_input(self) -> str:
        """The payload member that is passed on unread, or ""."""
        if self.input is None:
            return ""
        name: str = self.input.traits.get("payload", "")
        return name if name and self.input.members[name].traits.get("streaming") else ""

    @cached_property
    def event_stream_output(self) -> str:
        """The output member that is a stream of events, or ""."""
        return _event_stream(self.output)

    @cached_property
    def event_stream_input(self) -> str:
        """The input member that is a stream of events, or ""."""
        return _event_stream(self.input)


def _event_stream(shape: Shape | None) -> str:
    if shape is None:
        return ""
    return next((name for name, member in shape.members.items() if member.is_event_stream), "")


class ServiceModel:
    """One service. The shapes are read from disk when the first operation is asked for."""

    def __init__(self, name: str, metadata: Raw, load: Callable[[], Raw]) -> None:
        self.name = name
        self.metadata = metadata
        self._load = load
        self._raw: Raw | None = None
        self._operations: dict[str, OperationModel] = {}
        self._shapes: dict[str, Shape] = {}
        self.compiled: dict[Any, Any] = {}
        """Readers and writers of shapes, shared by the operations that use them."""

    def __repr__(self) -> str:
        return f"<ServiceModel {self.name}>"

    @property
    def raw(self) -> Raw:
        """The whole model as loaded."""
        if self._raw is None:
            self._raw = self._load()
        return self._raw

    @property
    def operation_names(self) -> list[str]:
        """Every operation that the model has."""
        return list(self.raw["operations"])

    def operation(self, name: str) -> OperationModel | None:
        """The operation of that name, or None when the model has none."""
        found = self._operations.get(name)
        if found is None:
            raw = self.raw["operations"].get(name)
            if raw is None:
                return None
            found = self._operations[name] = OperationModel(self, name, raw)
        return found

    def shape(self, name: str) -> Shape | None:
        """The shape of that name, or None."""
        return self.resolve({"shape": name}) if name in self.raw["shapes"] else None

    def resolve(self, ref: Raw) -> Shape:
        """The shape that a reference names, with the reference's own traits on top."""
        name: str = ref["shape"]
        target = self.raw["shapes"][name]
        if len(ref) > 1:
            return Shape(self, name, {**target, **ref}, ref)
        found = self._shapes.get(name)
        if found is None:
            found = self._shapes[name] = Shape(self, name, target, ref)
        return found

    @cached_property
    def protocols(self) -> tuple[str, ...]:
        """The protocols that the service speaks, in our names, the preferred one first."""
        listed = self.metadata.get("protocols") or [self.metadata["protocol"]]
        return tuple(PROTOCOL_NAMES[name] for name in listed if name in PROTOCOL_NAMES)

    @cached_property
    def signing_name(self) -> str:
        """The service's name in a credential scope."""
        name: str = self.metadata.get("signingName") or self.metadata["endpointPrefix"]
        return name

    @cached_property
    def target_prefix(self) -> str:
        """What comes before the dot in `X-Amz-Target`, or ""."""
        prefix: str = self.metadata.get("targetPrefix", "")
        return prefix

    @cached_property
    def api_version(self) -> str:
        """The date that query requests carry as `Version`."""
        version: str = self.metadata["apiVersion"]
        return version

    @cached_property
    def json_version(self) -> str:
        """`1.0` or `1.1`."""
        version: str = self.metadata.get("jsonVersion", "1.0")
        return version

    @cached_property
    def xml_namespace(self) -> str:
        """The namespace of XML answers."""
        namespace: str = self.metadata.get("xmlNamespace", "")
        return namespace

    @cached_property
    def query_compatible(self) -> bool:
        """Whether errors also carry their old query code in `x-amzn-query-error`."""
        return "awsQueryCompatible" in self.metadata
