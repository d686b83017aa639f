"""What the types of HTTP and WebSocket APIs share: how a part is made, changed, found again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import Draft, Props, Provisioned
from cumulet.services.apigateway.resources.told import unless_gone

SERVICE = "apigatewayv2"


def chosen(props: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The given properties, which are called as the operations' members."""
    return {name: props[name] for name in names if props.get(name) is not None}


def emptied(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> dict[str, Any]:
    """A map for an update that joins maps: entries that are gone are given as empty texts."""
    return {**dict.fromkeys(set(old or {}) - set(new or {}), ""), **(new or {})}


@dataclass(frozen=True, slots=True)
class Part:
    """How one kind of part is told as operations.

    `noun` is as in `CreateRoute`; `owners` are the properties that name what it belongs to;
    `names` are its other properties; `absent` is what an update says for those that are taken
    away; `same` names the properties by which a part that an earlier try made is known.
    """

    noun: str
    owners: tuple[str, ...]
    names: tuple[str, ...]
    absent: Mapping[str, Any]
    same: tuple[str, ...]

    @property
    def id_name(self) -> str:
        """The member that is the part's id, as `RouteId`."""
        return f"{self.noun}Id"

    def place(self, props: Props) -> dict[str, Any]:
        """The members that name the part's owner."""
        return {name: props[name] for name in self.owners}

    async def create(self, ctx: Context, props: Props, draft: Draft) -> Provisioned:
        """Make the part, or take what an earlier try of this step has made."""
        if draft.resumed and (found := await self._find(ctx, props)) is not None:
            return await self.update(ctx, found, props, props, draft)
        place = self.place(props)
        request = chosen(props, self.names)
        made = await ctx.call(SERVICE, f"Create{self.noun}", **place, **request)
        return Provisioned(made[self.id_name], {self.id_name: made[self.id_name]})

    async def _find(self, ctx: Context, props: Props) -> str | None:
        listed = await ctx.call(SERVICE, f"Get{self.noun}s", **self.place(props))
        for one in listed["Items"]:
            if all(one.get(name) == props.get(name) for name in self.same):
                return str(one[self.id_name])
        return None

    async def update(
        self, ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
    ) -> Provisioned:
        """Change the part to what the template says now."""
        request = chosen(new, self.names)
        for name in self.names:
            if name in request and isinstance(request[name], Mapping):
                if name in ("RequestParameters",) and self.noun == "Integration":
                    request[name] = emptied(old.get(name), new.get(name))
            elif name in old and name not in request:
                request[name] = self.absent.get(name, "")
        place = {**self.place(new), self.id_name: physical_id}
        await ctx.call(SERVICE, f"Update{self.noun}", **place, **request)
        return Provisioned(physical_id, {self.id_name: physical_id})

    async def delete(self, ctx: Context, physical_id: str, props: Props) -> None:
        """Remove the part."""
        place = {**self.place(props), self.id_name: physical_id}
        await unless_gone(ctx.call(SERVICE, f"Delete{self.noun}", **place))

    async def read(self, ctx: Context, physical_id: str, props: Props) -> Props | None:
        """The live properties."""
        place = {**self.place(props), self.id_name: physical_id}
        found = await unless_gone(ctx.call(SERVICE, f"Get{self.noun}", **place))
        return None if found is None else chosen(found, self.names)


async def update_tags(
    ctx: Context, path: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> None:
    """Make the tags of an API or a stage what the new properties say; they are maps here."""
    arn = f"arn:aws:apigateway:{ctx.scope.region}::{path}"
    before, after = old.get("Tags") or {}, new.get("Tags") or {}
    if gone := [key for key in before if key not in after]:
        await ctx.call(SERVICE, "UntagResource", ResourceArn=arn, TagKeys=gone)
    if after and after != before:
        await ctx.call(SERVICE, "TagResource", ResourceArn=arn, Tags=dict(after))


def is_conflict(error: AwsError) -> bool:
    """Whether something of that name is there already."""
    return error.code == "ConflictException"
