"""Tags of certificates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.acm import store
from cumulet.services.acm.errors import (
    InvalidTagException,
    TooManyTagsException,
    no_certificate,
)
from cumulet.services.acm.limits import TAGS_MAX
from cumulet.services.acm.permissions import certificate_id, named_certificate

Tags = dict[str, str]


def read_tags(given: Sequence[Mapping[str, str]], present: Mapping[str, str]) -> Tags:
    """Tags as they will be: those that are there, and the given ones on top."""
    for tag in given:
        if tag["Key"].lower().startswith("aws:"):
            raise InvalidTagException(f"The tag key {tag['Key']} is reserved.")
    tags = {**present, **{tag["Key"]: tag.get("Value", "") for tag in given}}
    if len(tags) > TAGS_MAX:
        raise TooManyTagsException(f"A certificate can have at most {TAGS_MAX} tags.")
    return tags


async def _change(ctx: Context, arn: str, change: Callable[[Tags], Tags]) -> None:
    found_id = certificate_id(ctx, arn)

    async def work(tx: Transaction, scope: Scope) -> None:
        found = await store.load(tx, scope, found_id)
        if found is None:
            raise no_certificate(arn)
        await store.save(tx, scope, msgspec.structs.replace(found, tags=change(dict(found.tags))))

    await ctx.transact(work)


@operation("AddTagsToCertificate", resource=named_certificate)
async def add_tags_to_certificate(ctx: Context, request: Mapping[str, Any]) -> None:
    """Give a certificate tags."""
    await _change(ctx, request["CertificateArn"], lambda old: read_tags(request["Tags"], old))


@operation("RemoveTagsFromCertificate", resource=named_certificate)
async def remove_tags_from_certificate(ctx: Context, request: Mapping[str, Any]) -> None:
    """Take tags away: those with the given keys and, where one is given, that value."""

    def without(old: Tags) -> Tags:
        for tag in request["Tags"]:
            if old.get(tag["Key"]) == tag.get("Value", old.get(tag["Key"])):
                old.pop(tag["Key"], None)
        return old

    await _change(ctx, request["CertificateArn"], without)


@operation("ListTagsForCertificate", resource=named_certificate)
async def list_tags_for_certificate(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """A certificate's tags."""
    arn = request["CertificateArn"]
    found = await ctx.transact(store.load, certificate_id(ctx, arn))
    if found is None:
        raise no_certificate(arn)
    return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(found.tags.items())]}
