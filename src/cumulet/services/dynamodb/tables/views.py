"""The tables that are in use, compiled and kept until they change."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from cumulet.core.context import Context, Platform
from cumulet.core.identity import Scope, parse_arn
from cumulet.kv.cache import CachedView
from cumulet.kv.contract import Store, Unavailable
from cumulet.services.dynamodb.errors import ResourceNotFoundException, ValidationException
from cumulet.services.dynamodb.store.records import NOWHERE, TABLES, table_key
from cumulet.services.dynamodb.tables.view import TableView

_NAME = re.compile(r"[a-zA-Z0-9_.\-]{3,255}\Z", re.ASCII)
_PLACES_MAX = 4_096
_BAD_NAME = (
    "Invalid table/index name.  Table/index names must be between 3 and 255 characters long, and "
    "may contain only the characters a-z, A-Z, 0-9, '_', '-', and '.'"
)
NO_TABLE = "Requested resource not found"


class TableChanged(Exception):
    """A table's record is not the one that an operation was planned for: plan it anew."""


PLANS_MAX = 50
"""How often an operation is planned anew because its table has just changed."""


def keeps_changing(name: str) -> Unavailable:
    """The failure of an operation whose table changed each time before it was carried out."""
    return Unavailable(f"the table {name} changes all the time")


class TableViews:
    """Finds tables by name."""

    def __init__(self, platform: Platform) -> None:
        self._store = platform.need(Store)
        self._cache: CachedView[tuple[str, str, str], TableView | None] = CachedView(
            self._store, TABLES.prefix(NOWHERE), self._load, affects=_affected
        )
        self.find = self._cache.get
        """The table of (account, region, name), or None."""

    async def _load(self, place: tuple[str, str, str]) -> TableView | None:
        account, region, name = place
        key = table_key(Scope(account, region), name)

        async def read(tx: Any) -> bytes | None:
            raw: bytes | None = await tx.get(key)
            return raw

        raw = await self._store.transact(read)
        return None if raw is None else TableView(TABLES.read(raw), raw)


def _affected(key: bytes) -> list[tuple[str, str, str]] | None:
    owned = TABLES.owned(key)
    if owned is None:
        return []
    account, region, name = (str(part) for part in owned[1])
    return [(account, region, name)]


def place_of(ctx: Context, given: str) -> tuple[str, str, str]:
    """Account, region and name of a table given by name or ARN. Raises ValidationException."""
    return _place(ctx.scope, given)


@lru_cache(_PLACES_MAX)
def _place(scope: Scope, given: str) -> tuple[str, str, str]:
    if _NAME.match(given):
        return (scope.account, scope.region, given)
    arn = parse_arn(given)
    if arn is not None and arn.service == "dynamodb" and arn.resource.startswith("table/"):
        name = arn.resource.removeprefix("table/")
        if _NAME.match(name) and arn.region == scope.region:
            return (arn.account, arn.region, name)
    raise ValidationException(_BAD_NAME)


async def need_table(ctx: Context, given: str) -> TableView:
    """The table of that name or ARN. Raises ValidationException, ResourceNotFoundException."""
    view = await ctx.need(TableViews).find(place_of(ctx, given))
    if view is None:
        raise ResourceNotFoundException(NO_TABLE)
    return view


def arn_place(ctx: Context, arn: str) -> tuple[str, str, str]:
    """The table of an ARN. Raises ValidationException for what is none."""
    if not arn.startswith("arn:"):
        raise ValidationException(f"Invalid TableArn: ARNs must start with 'arn:': {arn}")
    try:
        return place_of(ctx, arn)
    except ValidationException:
        raise ValidationException(
            f"Invalid TableArn: Invalid ResourceArn provided as input {arn}"
        ) from None
