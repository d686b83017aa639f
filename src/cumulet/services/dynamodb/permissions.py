"""For which resources a permission is asked, under which conditions, and tables' own policies.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.policy import Policy
from cumulet.kit.service import OwnedPolicies, Target
from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.expressions.compiled import (
    compile_condition,
    compile_projection,
    compile_update,
)
from cumulet.services.dynamodb.expressions.key_conditions import read_key_expression
from cumulet.services.dynamodb.model import table_arn
from cumulet.services.dynamodb.tables.view import TableView
from cumulet.services.dynamodb.tables.views import TableViews, arn_place, place_of

Request = Mapping[str, Any]
_ARNS_MAX = 4_096

_TRANSACT_ACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}


def table(ctx: Context, request: Request) -> str:
    """The table that a request names."""
    return _arn(place_of(ctx, request["TableName"]))


@lru_cache(_ARNS_MAX)
def _arn(place: tuple[str, str, str]) -> str:
    account, region, name = place
    return table_arn(Scope(account, region), name)


def table_or_index(ctx: Context, request: Request) -> str:
    """The index that a search reads, or the table."""
    arn, index = table(ctx, request), request.get("IndexName")
    return arn if index is None else f"{arn}/index/{index}"


def everything(ctx: Context, request: Request) -> str:
    """All tables of the account and region."""
    return ctx.scope.arn("dynamodb", "table/*")


def arn_given(ctx: Context, request: Request) -> str:
    """The resource whose ARN a request gives."""
    given: str = request["ResourceArn"]
    return given


def stream_given(ctx: Context, request: Request) -> str:
    """The stream whose ARN a request gives."""
    given: str = request["StreamArn"]
    return given


def streams_of(ctx: Context, request: Request) -> str:
    """The streams of a table, or all."""
    name = request.get("TableName")
    if name is None:
        return ctx.scope.arn("dynamodb", "table/*/stream/*")
    account, region, name = place_of(ctx, name)
    return f"{table_arn(Scope(account, region), name)}/stream/*"


def batch_tables(ctx: Context, request: Request) -> list[str]:
    """Every table of a batch."""
    return _arns(ctx, request["RequestItems"])


def transact_tables(ctx: Context, request: Request) -> list[str]:
    """Every table of a transaction, with the permissions that its parts need on that table; one
    that names none is asked for all tables.
    """
    _arns(ctx, _names(request))
    wanted: dict[str, dict[str, None]] = {}
    for one in request["TransactItems"]:
        for kind, part in one.items():
            arn = _arn(place_of(ctx, part["TableName"]))
            wanted.setdefault(arn, {})[_TRANSACT_ACTIONS[kind]] = None
    return [Target(arn, actions) for arn, actions in wanted.items()] or [everything(ctx, request)]


def _names(request: Request) -> list[str]:
    return [part["TableName"] for one in request["TransactItems"] for part in one.values()]


def _arns(ctx: Context, names: Iterable[str]) -> list[str]:
    places = dict.fromkeys(place_of(ctx, name) for name in names)
    if len({account for account, _, _ in places}) > 1:
        raise ValidationException("The tables of one request must belong to one account")
    return [table_arn(Scope(account, region), name) for account, region, name in places]


async def policy_of_table(ctx: Context, request: Request) -> OwnedPolicies:
    """The policy of the table that a request names."""
    return await _owned(ctx, request["TableName"])


async def policy_of_resource(ctx: Context, request: Request) -> OwnedPolicies:
    """The policy of the table whose ARN a request gives."""
    return await _owned_at(ctx, arn_place(ctx, request["ResourceArn"]))


async def policy_of_batch(ctx: Context, request: Request) -> OwnedPolicies:
    """The policies of all tables of a batch; each speaks of its own table only."""
    return await _owned_by_all(ctx, request["RequestItems"])


async def policy_of_transaction(ctx: Context, request: Request) -> OwnedPolicies:
    """The policies of all tables of a transaction."""
    return await _owned_by_all(ctx, _names(request))


async def _owned(ctx: Context, given: str) -> OwnedPolicies:
    return await _owned_at(ctx, place_of(ctx, given))


async def _owned_at(ctx: Context, place: tuple[str, str, str]) -> OwnedPolicies:
    view = await ctx.need(TableViews).find(place)
    return OwnedPolicies(place[0]) if view is None else view.owned


async def _owned_by_all(ctx: Context, names: Iterable[str]) -> OwnedPolicies:
    policies: list[Policy] = []
    owner = ctx.scope.account
    for name in dict.fromkeys(names):
        owned = await _owned(ctx, name)
        owner = owned.owner
        policies += owned.policies
    return OwnedPolicies(owner, tuple(policies))


async def item_keys(ctx: Context, request: Request) -> dict[str, Any]:
    """The condition keys of an operation on one table's items."""
    view = await ctx.need(TableViews).find(place_of(ctx, request["TableName"]))
    keys = _tags_of(view)
    given = request.get("Key") or request.get("Item") or {}
    leading = _leading(view, [given]) or _leading_of_query(view, request)
    if leading:
        keys["dynamodb:LeadingKeys"] = leading
        keys["dynamodb:FirstPartitionKeyValues"] = leading
    attributes = [*given, *_attributes(request)]
    if attributes:
        keys["dynamodb:Attributes"] = sorted(set(attributes))
    projects = "ProjectionExpression" in request or "AttributesToGet" in request
    if "Item" not in request and "UpdateExpression" not in request:
        default = "SPECIFIC_ATTRIBUTES" if projects else "ALL_ATTRIBUTES"
        keys["dynamodb:Select"] = request.get("Select", default)
    for name in ("ReturnValues", "ReturnConsumedCapacity"):
        if name in request:
            keys[f"dynamodb:{name}"] = request[name]
    return keys


async def batch_keys(ctx: Context, request: Request) -> dict[str, Any]:
    """The condition keys of a batch."""
    leading: list[str] = []
    attributes: set[str] = set()
    keys: dict[str, Any] = {}
    for name, wanted in request["RequestItems"].items():
        view = await ctx.need(TableViews).find(place_of(ctx, name))
        keys |= _tags_of(view)
        if isinstance(wanted, dict):
            items = wanted.get("Keys") or []
            attributes |= set(_attributes(wanted))
            projects = "ProjectionExpression" in wanted or "AttributesToGet" in wanted
            keys["dynamodb:Select"] = "SPECIFIC_ATTRIBUTES" if projects else "ALL_ATTRIBUTES"
        else:
            parts = [part for one in wanted for part in one.values()]
            items = [part.get("Item") or part.get("Key") or {} for part in parts]
        leading += _leading(view, items)
        attributes |= {attribute for item in items for attribute in item}
    if leading:
        keys["dynamodb:LeadingKeys"] = leading
    if attributes:
        keys["dynamodb:Attributes"] = sorted(attributes)
    return keys


async def transact_keys(ctx: Context, request: Request) -> dict[str, Any]:
    """The condition keys of a transaction."""
    leading: list[str] = []
    attributes: set[str] = set()
    for one in request["TransactItems"]:
        for part in one.values():
            view = await ctx.need(TableViews).find(place_of(ctx, part["TableName"]))
            item = part.get("Item") or part.get("Key") or {}
            leading += _leading(view, [item])
            attributes |= {*item, *_attributes(part)}
    keys: dict[str, Any] = {"dynamodb:EnclosingOperation": "TransactWriteItems"}
    if request["TransactItems"] and "Get" in request["TransactItems"][0]:
        keys["dynamodb:EnclosingOperation"] = "TransactGetItems"
    if leading:
        keys["dynamodb:LeadingKeys"] = leading
    if attributes:
        keys["dynamodb:Attributes"] = sorted(attributes)
    return keys


async def table_keys(ctx: Context, request: Request) -> dict[str, Any]:
    """The condition keys of an operation on a table, with its tags and those that it is given."""
    if "ResourceArn" in request:
        place = arn_place(ctx, request["ResourceArn"])
    else:
        place = place_of(ctx, request["TableName"])
    keys = _tags_of(await ctx.need(TableViews).find(place))
    tags = request.get("Tags") or ()
    for tag in tags:
        keys[f"aws:RequestTag/{tag['Key']}"] = tag["Value"]
    names = [tag["Key"] for tag in tags] + list(request.get("TagKeys") or ())
    if names:
        keys["aws:TagKeys"] = names
    return keys


def _tags_of(view: TableView | None) -> dict[str, Any]:
    tags = {} if view is None else view.record.tags
    return {f"aws:ResourceTag/{name}": value for name, value in tags.items()}


def _leading(view: TableView | None, items: Iterable[Any]) -> list[str]:
    if view is None:
        return []
    found = []
    for item in items:
        value = item.get(view.hash[0]) if isinstance(item, dict) else None
        if isinstance(value, dict):
            found += [one for one in value.values() if isinstance(one, str)]
    return found


def _leading_of_query(view: TableView | None, request: Request) -> list[str]:
    """The partition that a query names, in whichever of the parameters."""
    if view is None or not ("KeyConditionExpression" in request or "KeyConditions" in request):
        return []
    index = view.indexes.get(request.get("IndexName", ""))
    hashes = view.hashes if index is None else index.hashes
    name = hashes[0][0]
    legacy = request.get("KeyConditions")
    if legacy:
        values = (legacy.get(name) or {}).get("AttributeValueList") or []
        return [text for value in values for text in value.values() if isinstance(text, str)]
    values = request.get("ExpressionAttributeValues") or {}
    try:
        compiled = compile_condition(
            "KeyConditionExpression", request["KeyConditionExpression"], _names_of(request)
        )
        conditions = read_key_expression(compiled.tree, values)
    except (ValidationException, KeyError):
        return []
    return [
        text
        for condition in conditions
        if condition.name == name
        for value in condition.values
        for text in value.values()
        if isinstance(text, str)
    ]


def _names_of(request: Request) -> tuple[tuple[str, str], ...]:
    return tuple((request.get("ExpressionAttributeNames") or {}).items())


def _attributes(request: Request) -> list[str]:
    """The top-level attributes that a request's expressions speak of."""
    names = _names_of(request)
    found: list[str] = list(request.get("AttributesToGet") or ())
    for legacy in ("AttributeUpdates", "Expected", "QueryFilter", "ScanFilter", "KeyConditions"):
        found += request.get(legacy) or ()
    try:
        for parameter in ("ConditionExpression", "FilterExpression", "KeyConditionExpression"):
            if request.get(parameter):
                found += compile_condition(parameter, request[parameter], names).attributes
        if request.get("UpdateExpression"):
            text = request["UpdateExpression"]
            paths = compile_update("UpdateExpression", text, names).update.paths
            found += [str(path.parts[0]) for path in paths]
        if request.get("ProjectionExpression"):
            text = request["ProjectionExpression"]
            found += compile_projection("ProjectionExpression", text, names).attributes
    except ValidationException:
        # The operation tells what is wrong; nothing is read or written then.
        return found
    return found
