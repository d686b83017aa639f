"""How the types tell IAM what they want: calls, and the steps from one state to another."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import JSON, TEXT, Draft, PartlyMade, Props, list_of, struct
from cumulet.services.iam.store import EntityKind

TEXTS = list_of(TEXT)
INLINE = list_of(
    struct({"PolicyName": TEXT, "PolicyDocument": JSON}, "PolicyName", "PolicyDocument")
)

_STACK_TAG = "aws:cloudformation:stack-id"
_LOGICAL_TAG = "aws:cloudformation:logical-id"


async def tell(ctx: Context, operation: str, **request: Any) -> Any:
    """An operation of IAM; members that are None are left out."""
    given = {name: value for name, value in request.items() if value is not None}
    return await ctx.call("iam", operation, **given)


async def unless_gone(ctx: Context, operation: str, **request: Any) -> Any:
    """The same for what may be gone already: None then."""
    try:
        return await tell(ctx, operation, **request)
    except AwsError as error:
        if error.code != "NoSuchEntityException":
            raise
        return None


@contextmanager
def made_already(physical_id: str) -> Iterator[None]:
    """Say of a failure in the block that the resource itself is there."""
    try:
        yield
    except AwsError as error:
        raise PartlyMade(physical_id) from error


def named(kind: EntityKind, name: str) -> dict[str, str]:
    """The member that names an entity."""
    return {f"{kind.capitalize()}Name": name}


def document(value: Any) -> str:
    """A policy document as text."""
    return value if isinstance(value, str) else json.dumps(value)


def read_document(encoded: str) -> Any:
    """A policy document as IAM answers it, as a value."""
    return json.loads(unquote(encoded))


def with_origin(props: Props, draft: Draft) -> list[dict[str, str]]:
    """The tags of a resource and those that tell which stack it came from."""
    return [
        *props.get("Tags", ()),
        {"Key": _STACK_TAG, "Value": draft.stack_id},
        {"Key": _LOGICAL_TAG, "Value": draft.logical_id},
    ]


async def is_ours(ctx: Context, listing: str, draft: Draft, **request: Any) -> bool:
    """Whether an entity was made for this stack, by an earlier try of the same step."""
    found = await tell(ctx, listing, **request)
    tags = {tag["Key"]: tag["Value"] for tag in found["Tags"]}
    return (tags.get(_STACK_TAG), tags.get(_LOGICAL_TAG)) == (draft.stack_id, draft.logical_id)


async def retag(ctx: Context, noun: str, old: Props, new: Props, **request: Any) -> None:
    """Bring the tags of a resource from one list to another."""
    before = {tag["Key"]: tag["Value"] for tag in old.get("Tags", ())}
    after = {tag["Key"]: tag["Value"] for tag in new.get("Tags", ())}
    if gone := [key for key in before if key not in after]:
        await tell(ctx, f"Untag{noun}", TagKeys=gone, **request)
    if added := [
        {"Key": key, "Value": value} for key, value in after.items() if before.get(key) != value
    ]:
        await tell(ctx, f"Tag{noun}", Tags=added, **request)


def own_tags(tags: list[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """The tags that a template gave, without those of `with_origin`."""
    return [tag for tag in tags if not tag["Key"].startswith("aws:")]


async def hold_policies(ctx: Context, kind: EntityKind, name: str, old: Props, new: Props) -> None:
    """Bring an entity's inline and attached policies from one state to another."""
    word, who = kind.capitalize(), named(kind, name)
    before = {one["PolicyName"]: one["PolicyDocument"] for one in old.get("Policies", ())}
    after = {one["PolicyName"]: one["PolicyDocument"] for one in new.get("Policies", ())}
    for policy, text in after.items():
        if before.get(policy) != text:
            await tell(
                ctx,
                f"Put{word}Policy",
                PolicyName=policy,
                PolicyDocument=document(text),
                **who,
            )
    for policy in before.keys() - after.keys():
        await unless_gone(ctx, f"Delete{word}Policy", PolicyName=policy, **who)
    attached, wanted = old.get("ManagedPolicyArns", ()), new.get("ManagedPolicyArns", ())
    for arn in attached:
        if arn not in wanted:
            await unless_gone(ctx, f"Detach{word}Policy", PolicyArn=arn, **who)
    for arn in wanted:
        if arn not in attached:
            await tell(ctx, f"Attach{word}Policy", PolicyArn=arn, **who)


async def read_policies(ctx: Context, kind: EntityKind, name: str) -> dict[str, Any]:
    """An entity's inline and attached policies as properties."""
    word, who = kind.capitalize(), named(kind, name)
    names = (await tell(ctx, f"List{word}Policies", MaxItems=1_000, **who))["PolicyNames"]
    inline = []
    for policy in names:
        found = await tell(ctx, f"Get{word}Policy", PolicyName=policy, **who)
        inline.append(
            {"PolicyName": policy, "PolicyDocument": read_document(found["PolicyDocument"])}
        )
    attached = await tell(ctx, f"ListAttached{word}Policies", MaxItems=1_000, **who)
    return {
        "Policies": inline,
        "ManagedPolicyArns": [one["PolicyArn"] for one in attached["AttachedPolicies"]],
    }
