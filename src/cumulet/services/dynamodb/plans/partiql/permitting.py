"""What a statement needs permission for: its action, its table or index, and condition keys.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.policy import Policy
from cumulet.kit.service import OwnedPolicies
from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.expressions.compiled import paths_of
from cumulet.services.dynamodb.model import table_arn
from cumulet.services.dynamodb.plans.partiql.binding import Bound, bind
from cumulet.services.dynamodb.plans.partiql.keys import use_keys
from cumulet.services.dynamodb.plans.partiql.parsing import parse_statement
from cumulet.services.dynamodb.plans.partiql.tree import (
    Change,
    Delete,
    Insert,
    Select,
    Statement,
)
from cumulet.services.dynamodb.tables.views import TableViews, place_of

Request = Mapping[str, Any]
_ACTIONS = {
    Select: "PartiQLSelect",
    Insert: "PartiQLInsert",
    Change: "PartiQLUpdate",
    Delete: "PartiQLDelete",
}
_LISTS = ("Statements", "TransactStatements")


def _texts(request: Request) -> list[Mapping[str, Any]]:
    for name in _LISTS:
        if name in request:
            return list(request[name])
    return [request]


def _statements(request: Request) -> list[Statement]:
    """What a request does. A batch answers for each of its statements that cannot be read."""
    found = []
    for place, one in enumerate(_texts(request)):
        try:
            found.append(parse_statement(one["Statement"]))
        except ValidationException as error:
            if "TransactStatements" in request:
                raise failed_part(place, error) from None
            if "Statements" not in request:
                raise
    return found


def failed_part(place: int, error: ValidationException) -> ValidationException:
    """The error of one statement of a transaction."""
    return ValidationException(f"Validation failed in TransactStatements[{place}]: {error.message}")


def actions(ctx: Context, request: Request) -> list[str]:
    """The permissions that the statements of a request need. Raises ValidationException."""
    names = dict.fromkeys(_ACTIONS[type(one.body)] for one in _statements(request))
    return list(names) or ["PartiQLSelect"]


def resources(ctx: Context, request: Request) -> list[str]:
    """The tables and indexes of a request. Raises ValidationException."""
    found: dict[str, None] = {}
    owners: set[str] = set()
    for one in _statements(request):
        account, region, name = place_of(ctx, one.body.source.table)
        owners.add(account)
        arn = table_arn(Scope(account, region), name)
        index = one.body.source.index
        found[arn if index is None else f"{arn}/index/{index}"] = None
    if len(owners) > 1:
        raise ValidationException("The tables of one request must belong to one account")
    return list(found) or [ctx.scope.arn("dynamodb", "table/*")]


async def policies(ctx: Context, request: Request) -> OwnedPolicies:
    """The policies of all tables of a request; each speaks of its own table only."""
    owner = ctx.scope.account
    found: list[Policy] = []
    for place in dict.fromkeys(
        place_of(ctx, one.body.source.table) for one in _statements(request)
    ):
        owner = place[0]
        view = await ctx.need(TableViews).find(place)
        found += [] if view is None else view.owned.policies
    return OwnedPolicies(owner, tuple(found))


async def keys(ctx: Context, request: Request) -> dict[str, Any]:
    """The condition keys of a request's statements together."""
    leading: list[str] = []
    attributes: set[str] = set()
    told: dict[str, Any] = {}
    scans = False
    for one in _texts(request):
        try:
            bound = bind(one["Statement"], one.get("Parameters"))
        except ValidationException:
            # The operation tells what is wrong; nothing is read or written then.
            continue
        view = await ctx.need(TableViews).find(place_of(ctx, bound.body.source.table))
        attributes |= _attributes(bound)
        if isinstance(bound.body, Select):
            whole = bound.body.paths is None
            told["dynamodb:Select"] = "ALL_ATTRIBUTES" if whole else "SPECIFIC_ATTRIBUTES"
        if view is None:
            continue
        told |= {f"aws:ResourceTag/{name}": text for name, text in view.record.tags.items()}
        index = view.indexes.get(bound.body.source.index or "")
        hashes = [name for name, _ in (view if index is None else index).hashes]
        values = _leading(bound, hashes)
        scans |= not values
        leading += values
    if leading and not scans:
        told["dynamodb:LeadingKeys"] = leading
        told["dynamodb:FirstPartitionKeyValues"] = leading
    told["dynamodb:FullTableScan"] = "true" if scans else "false"
    if attributes:
        told["dynamodb:Attributes"] = sorted(attributes)
    if "TransactStatements" in request:
        told["dynamodb:EnclosingOperation"] = "ExecuteTransaction"
    return told


def _attributes(bound: Bound) -> set[str]:
    body = bound.body
    if isinstance(body, Insert):
        return set(bound.item or ())
    found = set() if body.where is None else {str(one.parts[0]) for one in paths_of(body.where)}
    if isinstance(body, Change):
        found |= {str(action.path.parts[0]) for action in body.actions}
    if isinstance(body, Select):
        found |= {str(path.parts[0]) for path in body.paths or ()}
    return found


def _leading(bound: Bound, hashes: Sequence[str]) -> list[str]:
    """The partition key values that a statement names; none when it may look at any."""
    body = bound.body
    if isinstance(body, Insert):
        values = [(bound.item or {}).get(hashes[0], {})]
    else:
        use = use_keys(body.where, bound.values, hashes, ())
        values = [] if use is None else [one[0].values[0] for one in use.partitions]
    return [text for value in values for text in value.values() if isinstance(text, str)]
