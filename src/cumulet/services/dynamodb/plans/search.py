"""What a Query or Scan asks for: where it reads, what it keeps, and what it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.expressions.compiled import CompiledCondition, CompiledProjection
from cumulet.services.dynamodb.expressions.evaluating import Test
from cumulet.services.dynamodb.expressions.key_conditions import (
    KeyCondition,
    plan_key,
    read_key_expression,
    read_legacy_conditions,
)
from cumulet.services.dynamodb.expressions.legacy import check_operator, read_filter
from cumulet.services.dynamodb.expressions.projection import Branches
from cumulet.services.dynamodb.expressions.substitutions import Substitutions, refuse_mixture
from cumulet.services.dynamodb.items.values import Value, check_names
from cumulet.services.dynamodb.plans.ranges import check_bounds, query_range, scan_range, start_key
from cumulet.services.dynamodb.plans.writes import required
from cumulet.services.dynamodb.tables.view import IndexView, TableView

_WRONG = "One or more parameter values were invalid: "


@dataclass(slots=True)
class Search:
    """A planned Query or Scan. `branches` is None when whole items are shown; `limit` counts
    items looked at, 0 for no bound. `follows` says that an entry's item is read from the table.
    """

    view: TableView
    index: IndexView | None
    begin: bytes
    end: bytes
    reverse: bool
    limit: int
    test: Test | None
    values: Mapping[str, Value]
    branches: Branches | None
    counts_only: bool
    follows: bool
    consistent: bool
    partition: tuple[Value, ...] = ()


def plan_query(view: TableView | None, request: Mapping[str, Any]) -> Search:
    """A Query. Raises ValidationException and ResourceNotFoundException."""
    refuse_mixture(request)
    expressions = ("FilterExpression", "KeyConditionExpression", "ProjectionExpression")
    substitutions = Substitutions(request, expressions)
    conditions = _conditions(request, substitutions)
    found = _read_filter(request, substitutions, "QueryFilter")
    projection = read_projection(request, substitutions)
    substitutions.finish()
    view = required(view)
    index = find_index(view, request)
    hashes, ranges = (view.hashes, view.ranges) if index is None else (index.hashes, index.ranges)
    plan = plan_key(conditions, hashes, ranges)
    check_bounds(plan)
    _refuse_key_filter(found, request, {name for name, _ in (*hashes, *ranges)})
    begin, end = query_range(view, index, plan)
    search = make_search(view, index, request, found, projection)
    search.begin, search.end = begin, end
    search.partition = tuple(plan.partition)
    search.reverse = request.get("ScanIndexForward") is False
    search.values = substitutions.values
    given = request.get("ExclusiveStartKey")
    if given is not None:
        at = start_key(view, index, given)
        if index is None and not ranges:
            told = ", ".join(f"{name}=AttributeValue: {value}" for name, value in given.items())
            raise ValidationException(
                f"The provided exclusive start key is invalid: ExclusiveStartKey: {{{told}}}"
            )
        if not begin <= at < end:
            partition_end = len(view.base) + 16
            is_elsewhere = at[:partition_end] != begin[:partition_end]
            said = "The provided starting key is outside query boundaries based on provided"
            raise ValidationException(
                "The provided starting key is invalid" if is_elsewhere else f"{said} conditions"
            )
        go_on(search, at)
    return search


def _conditions(request: Mapping[str, Any], substitutions: Substitutions) -> list[KeyCondition]:
    text = request.get("KeyConditionExpression")
    if text is not None:
        compiled = substitutions.condition("KeyConditionExpression", text)
        return read_key_expression(compiled.tree, substitutions.values)
    legacy = request.get("KeyConditions")
    if legacy is None:
        raise ValidationException(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in "
            "the request."
        )
    return read_legacy_conditions(legacy)


def plan_scan(view: TableView | None, request: Mapping[str, Any]) -> Search:
    """A Scan. Raises ValidationException and ResourceNotFoundException."""
    refuse_mixture(request)
    segment, segments = _segments(request)
    substitutions = Substitutions(request, ("FilterExpression", "ProjectionExpression"))
    found = _read_filter(request, substitutions, "ScanFilter")
    projection = read_projection(request, substitutions)
    substitutions.finish()
    view = required(view)
    index = find_index(view, request)
    search = make_search(view, index, request, found, projection)
    search.begin, search.end = scan_range(view, index, segment, segments)
    search.values = substitutions.values
    given = request.get("ExclusiveStartKey")
    if given is not None:
        at = start_key(view, index, given)
        if not search.begin <= at < search.end:
            raise ValidationException(
                "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use "
                f"ExclusiveStartKey with correct Segment. TotalSegments: {segments} "
                f"Segment: {segment}"
            )
        go_on(search, at)
    return search


def _segments(request: Mapping[str, Any]) -> tuple[int, int]:
    segment, segments = request.get("Segment"), request.get("TotalSegments")
    if segment is None and segments is None:
        return 0, 1
    if segments is None:
        raise ValidationException(
            "The TotalSegments parameter is required but was not present in the request when "
            "Segment parameter is present"
        )
    if segment is None:
        raise ValidationException(
            "The Segment parameter is required but was not present in the request when parameter "
            "TotalSegments is present"
        )
    if segment >= segments:
        raise ValidationException(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            f"Segment: {segment} is not less than TotalSegments: {segments}"
        )
    return segment, segments


def go_on(search: Search, at: bytes) -> None:
    """Let a search begin behind a place."""
    if search.reverse:
        search.end = at
    else:
        search.begin = at + b"\0"


def find_index(view: TableView, request: Mapping[str, Any]) -> IndexView | None:
    """The index that a request names, if any. Raises ValidationException."""
    name = request.get("IndexName")
    if name is None:
        return None
    index = view.indexes.get(name)
    if index is None:
        raise ValidationException(f"The table does not have the specified index: {name}")
    if index.record.is_building:
        raise ValidationException(f"Cannot read from backfilling global secondary index: {name}")
    if request.get("ConsistentRead") and index.record.is_global:
        raise ValidationException("Consistent reads are not supported on global secondary indexes")
    return index


Found = tuple["Test | None", "frozenset[str]"]
"""A filter's test, and the attributes it looks at."""


def _read_filter(request: Mapping[str, Any], substitutions: Substitutions, legacy: str) -> Found:
    text = request.get("FilterExpression")
    if text is not None:
        compiled: CompiledCondition = substitutions.condition("FilterExpression", text)
        return compiled.test, compiled.attributes
    check_operator(request, legacy)
    conditions = request.get(legacy)
    if not conditions:
        return None, frozenset()
    return read_filter(conditions, request.get("ConditionalOperator")), frozenset(conditions)


def _refuse_key_filter(found: Found, request: Mapping[str, Any], names: set[str]) -> None:
    keys = sorted(found[1] & names)
    if keys:
        told = "Filter Expression" if request.get("FilterExpression") else "QueryFilter"
        raise ValidationException(
            f"{told} can only contain non-primary key attributes: Primary key attribute: {keys[0]}"
        )


def read_projection(
    request: Mapping[str, Any], substitutions: Substitutions
) -> tuple[Branches, frozenset[str]] | None:
    """What of items is shown, and its top-level names; None for everything."""
    text = request.get("ProjectionExpression")
    if text is not None:
        compiled: CompiledProjection = substitutions.projection("ProjectionExpression", text)
        return compiled.branches, frozenset(compiled.attributes)
    names = request.get("AttributesToGet")
    if names is None:
        return None
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValidationException(f"{_WRONG}Duplicate value in attribute name: {twice}")
    check_names(names)
    return dict.fromkeys(names), frozenset(names)


def make_search(
    view: TableView,
    index: IndexView | None,
    request: Mapping[str, Any],
    found: Found,
    projection: tuple[Branches, frozenset[str]] | None,
) -> Search:
    """A search without its range yet. Raises ValidationException."""
    select = _select(request, index, projection is not None)
    needed: frozenset[str] | None = found[1]
    if select == "ALL_ATTRIBUTES":
        needed = None
    elif projection is not None:
        needed = found[1] | projection[1]
    follows = False
    if index is not None and index.wanted is not None:
        lacking = None if needed is None else needed - index.wanted
        if lacking is None or lacking:
            _refuse_unprojected(index, lacking)
            follows = True
    return Search(
        view=view,
        index=index,
        begin=b"",
        end=b"",
        reverse=False,
        limit=request.get("Limit") or 0,
        test=found[0],
        values={},
        branches=None if projection is None else projection[0],
        counts_only=select == "COUNT",
        follows=follows,
        consistent=bool(request.get("ConsistentRead")),
    )


def _refuse_unprojected(index: IndexView, lacking: frozenset[str] | None) -> None:
    if not index.record.is_global:
        return
    if lacking is None:
        raise ValidationException(
            f"{_WRONG}Select type ALL_ATTRIBUTES is not supported for global secondary index "
            f"{index.record.name} because its projection type is not ALL"
        )
    told = ", ".join(sorted(lacking))
    raise ValidationException(
        f"{_WRONG}Global secondary index {index.record.name} does not project [{told}]"
    )


def _select(request: Mapping[str, Any], index: IndexView | None, projects: bool) -> str:
    select: str | None = request.get("Select")
    if select is None:
        if projects:
            return "SPECIFIC_ATTRIBUTES"
        return "ALL_ATTRIBUTES" if index is None else "ALL_PROJECTED_ATTRIBUTES"
    told = "AttributesToGet" if request.get("AttributesToGet") else "ProjectionExpression"
    if projects and select != "SPECIFIC_ATTRIBUTES":
        if select == "COUNT":
            raise ValidationException(
                f"Cannot specify the {told} when choosing to get only the Count"
            )
        raise ValidationException(f"Cannot specify the {told} when choosing to get {select}")
    if select == "SPECIFIC_ATTRIBUTES" and not projects:
        raise ValidationException(
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get "
            "SPECIFIC_ATTRIBUTES"
        )
    if select == "ALL_PROJECTED_ATTRIBUTES" and index is None:
        raise ValidationException(
            "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"
        )
    return select
