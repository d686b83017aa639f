"""What a CloudFormation resource type is: properties that are known, and four verbs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cumulet.core.context import Context

Props = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """The type of a property's value. Make them with the functions below.

    CloudFormation accepts `"30"` for a number and `"true"` for a boolean and turns them into what
    the type says; an unknown member of a structure fails the stack and is named.
    """

    name: Literal["text", "number", "flag", "json", "list", "map", "struct"]
    item: Kind | None = None
    members: Mapping[str, Kind] = field(default_factory=dict)
    required: frozenset[str] = frozenset()


TEXT = Kind("text")
NUMBER = Kind("number")
FLAG = Kind("flag")
JSON = Kind("json")
"""Any JSON value: a policy document, an OpenAPI body. A string is taken as JSON text."""


def list_of(item: Kind) -> Kind:
    """A list whose items are all of one kind."""
    return Kind("list", item)


def map_of(item: Kind) -> Kind:
    """A map with free keys, such as environment variables."""
    return Kind("map", item)


def struct(members: Mapping[str, Kind], *required: str) -> Kind:
    """A structure with these members and no others."""
    return Kind("struct", None, members, frozenset(required))


TAGS = list_of(struct({"Key": TEXT, "Value": TEXT}, "Key", "Value"))


@dataclass(frozen=True, slots=True)
class Draft:
    """What a resource may know of the stack that makes it.

    `token` (letters and digits) is the same each time the same step is tried again, also after a
    restart; an update has another token than the creation had. `resumed` says that an earlier try
    was cut off after a service had committed something for it: what now exists under a name that
    the template gives then counts as made by that try.
    """

    stack_id: str
    stack_name: str
    logical_id: str
    token: str
    resumed: bool = False
    type_name: str = ""

    def name(self, length_max: int = 64, *, lower: bool = False) -> str:
        """The name AWS would give: `{stack}-{logical id}-{12 letters}`, stable for this step."""
        suffix = self.token[:12].lower() if lower else self.token[:12].upper()
        room = length_max - len(suffix) - 2
        stack = self.stack_name[: max(1, room - min(len(self.logical_id), room // 2))]
        logical = self.logical_id[: room - len(stack)]
        text = f"{stack}-{logical}-{suffix}"
        return text.lower() if lower else text


@dataclass(frozen=True, slots=True)
class Provisioned:
    """A resource that exists: what `Ref` gives, and what `Fn::GetAtt` can give."""

    physical_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


class PartlyMade(Exception):
    """Raised by `create` when it failed after something was made, so that it will be deleted.

    Its cause (`raise PartlyMade(id) from error`) is the reason that the stack's events give.
    """

    def __init__(self, physical_id: str, attributes: Mapping[str, Any] | None = None) -> None:
        super().__init__(physical_id)
        self.physical_id = physical_id
        self.attributes = dict(attributes or {})


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One CloudFormation type, told as AWS operations through `ctx.call`.

    - `create(ctx, props, draft)` makes it. It must be safe to run again with the same draft after
      a kill: find what the first try made (by the draft's name or token) and go on.
    - `update(ctx, physical_id, old, new, draft)` changes it in place; None: every change replaces.
    - `delete(ctx, physical_id, props)` removes it; what is already gone is no error.
    - `delete_knowing(ctx, physical_id, props, draft)` is called in place of `delete` for a type
      that must know the stack when it deletes.
    - `read(ctx, physical_id, props)` gives the live properties (those it can tell) for drift
      detection, or None when it is gone.
    - `replace_on` names the top-level properties whose change needs a new resource.
    - `attributes` names what `Fn::GetAtt` may ask for.
    """

    name: str
    properties: Kind
    create: Callable[[Context, Props, Draft], Awaitable[Provisioned]]
    delete: Callable[[Context, str, Props], Awaitable[None]]
    update: Callable[[Context, str, Props, Props, Draft], Awaitable[Provisioned]] | None = None
    read: Callable[[Context, str, Props], Awaitable[Props | None]] | None = None
    replace_on: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    delete_knowing: Callable[[Context, str, Props, Draft], Awaitable[None]] | None = None


CUSTOM_RESOURCE = "AWS::CloudFormation::CustomResource"


class ResourceTypes(Mapping[str, ResourceType]):
    """Every resource type that the installed services declare, by name; made once at start.

    `Custom::…` stands for the custom resource, under whatever name.
    """

    __slots__ = ("_types",)

    def __init__(self, types: Iterable[ResourceType]) -> None:
        self._types: dict[str, ResourceType] = {}
        for one in types:
            if one.name in self._types:
                raise ValueError(f"two services declare the resource type {one.name}")
            self._types[one.name] = one

    def __getitem__(self, name: str) -> ResourceType:
        return self._types[CUSTOM_RESOURCE if name.startswith("Custom::") else name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)
