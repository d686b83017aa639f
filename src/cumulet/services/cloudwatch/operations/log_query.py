"""Logs Insights: queries started, their results, and queries kept under names."""

from __future__ import annotations

import functools
from typing import Any

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.cloudwatch import store
from cumulet.services.cloudwatch.errors import (
    InvalidParameterException,
    LimitExceededException,
    MalformedQueryException,
    ResourceNotFoundException,
    no_group,
)
from cumulet.services.cloudwatch.limits import QUERY_DEFINITIONS_MAX, QUERY_GROUPS_MAX
from cumulet.services.cloudwatch.logs.blocks import Position
from cumulet.services.cloudwatch.logs.insights.commands import Command, parse_query
from cumulet.services.cloudwatch.logs.insights.queries import Queries, Query, Source
from cumulet.services.cloudwatch.logs.insights.running import Running
from cumulet.services.cloudwatch.logs.insights.words import QueryError
from cumulet.services.cloudwatch.model import Group, QueryDefinition, group_arn
from cumulet.services.cloudwatch.operations.log_group import name_of, read_position
from cumulet.services.cloudwatch.operations.log_search import walk_events

Request = dict[str, Any]

_END_OF_TIME = 1 << 62
_PAGE = 1_000


def _groups(ctx: Context, request: Request) -> list[str]:
    """The names of the groups to look through. Raises InvalidParameterException."""
    given = [
        key for key in ("logGroupName", "logGroupNames", "logGroupIdentifiers") if request.get(key)
    ]
    if len(given) != 1:
        raise InvalidParameterException(
            "Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be given."
        )
    value = request[given[0]]
    names = [value] if isinstance(value, str) else list(value)
    if len(names) > QUERY_GROUPS_MAX:
        raise InvalidParameterException(f"A query can look at {QUERY_GROUPS_MAX} log groups.")
    return [name_of(ctx, {"logGroupIdentifier": name}) for name in dict.fromkeys(names)]


def _queried(ctx: Context, request: Request) -> list[str]:
    keys = ("logGroupName", "logGroupNames", "logGroupIdentifiers")
    if not any(request.get(key) for key in keys):
        return [group_arn(ctx.scope, "*")]
    return [group_arn(ctx.scope, name) for name in _groups(ctx, request)]


def _commands(request: Request) -> list[Command]:
    if request.get("queryLanguage", "CWLI") != "CWLI":
        raise InvalidParameterException(
            f"The query language {request['queryLanguage']} is not supported by Cumulet."
        )
    try:
        return parse_query(request["queryString"])
    except QueryError as cause:
        raise MalformedQueryException(str(cause)) from None


@operation("StartQuery", resource=_queried)
async def start_query(ctx: Context, request: Request) -> Request:
    """Look through log groups; the answers are asked for by the query's id."""
    names = _groups(ctx, request)
    begin, end = _milliseconds(request["startTime"]), _milliseconds(request["endTime"])
    if begin >= end:
        raise MalformedQueryException("End time should not be before the start time.")
    running = Running(_commands(request), request.get("limit", 10_000))

    async def read(tx: Transaction, scope: Scope) -> list[Group]:
        found = [await store.load_group(tx, scope, name) for name in names]
        return [one for one in found if one is not None]

    groups = await ctx.transact(read)
    if len(groups) < len(names):
        raise no_group()
    low, high = Position(begin, 0), Position(min(end, _END_OF_TIME) + 1_000, 0)
    sources: list[Source] = [
        (
            f"{ctx.scope.account}:{group.name}",
            functools.partial(walk_events, ctx, (group.uid,), low, high, forward=False),
        )
        for group in groups
    ]
    query = Query(
        new_uuid(ctx.clock), ctx.scope, request["queryString"], tuple(names),
        int(ctx.clock.now() * 1_000),
    )  # fmt: skip
    ctx.need(Queries).begin(query, running, sources)
    return {"queryId": query.id}


def _milliseconds(time: int) -> int:
    """Times are given in seconds; clients that give milliseconds are understood, as by AWS."""
    return time * 1_000 if time < 100_000_000_000 else time


def _find(ctx: Context, request: Request) -> Query:
    found = ctx.need(Queries).find(ctx.scope, request["queryId"])
    if found is None:
        raise ResourceNotFoundException(f"Query {request['queryId']} does not exist.")
    return found


@operation("GetQueryResults")
async def get_query_results(ctx: Context, request: Request) -> Request:
    """What a query has found, and how far it is."""
    query = _find(ctx, request)
    begin = read_position(request.get("nextToken")) or 0
    if not isinstance(begin, int):
        raise InvalidParameterException("The specified nextToken is invalid.")
    end = begin + (request.get("maxItems") or len(query.answers))
    answer: Request = {
        "queryLanguage": "CWLI",
        "status": query.status,
        "results": [
            [{"field": name, "value": value} for name, value in row.items()]
            for row in query.answers[begin:end]
        ],
        "statistics": {
            "recordsMatched": float(query.matched),
            "recordsScanned": float(query.scanned),
            "bytesScanned": float(query.scanned_bytes),
            "estimatedRecordsSkipped": 0.0,
            "estimatedBytesSkipped": 0.0,
            "logGroupsScanned": float(len(query.groups)),
        },
    }
    if end < len(query.answers):
        answer["nextToken"] = make_token(end)
    return answer


@operation("StopQuery")
async def stop_query(ctx: Context, request: Request) -> Request:
    """End a query that is under way."""
    if not ctx.need(Queries).cancel(_find(ctx, request)):
        raise InvalidParameterException("The query has already ended.")
    return {"success": True}


@operation("DescribeQueries")
async def describe_queries(ctx: Context, request: Request) -> Request:
    """The queries of this account, the newest first."""
    group, status = request.get("logGroupName"), request.get("status")
    begin = read_position(request.get("nextToken")) or 0
    if not isinstance(begin, int):
        raise InvalidParameterException("The specified nextToken is invalid.")
    found = [
        query
        for query in ctx.need(Queries).all(ctx.scope)
        if group in (None, *query.groups) and status in (None, query.status)
    ]
    end = begin + request.get("maxResults", _PAGE)
    answer: Request = {"queries": [_shown(query) for query in found[begin:end]]}
    if end < len(found):
        answer["nextToken"] = make_token(end)
    return answer


def _shown(query: Query) -> Request:
    told: Request = {
        "queryLanguage": "CWLI",
        "queryId": query.id,
        "queryString": query.text,
        "status": query.status,
        "createTime": query.created_ms,
        "logGroupName": query.groups[0],
        "bytesScanned": float(query.scanned_bytes),
    }
    if query.ended_ms:
        told["queryDuration"] = query.ended_ms - query.created_ms
    return told


@operation("PutQueryDefinition")
async def put_query_definition(ctx: Context, request: Request) -> Request:
    """Keep a query under a name, or change one that is kept."""
    if request.get("parameters"):
        raise InvalidParameterException("parameters is not supported by Cumulet.")
    if request.get("queryLanguage", "CWLI") != "CWLI":
        raise InvalidParameterException("Queries in SQL and PPL are not supported by Cumulet.")
    uid, made = request.get("queryDefinitionId"), new_uuid(ctx.clock)

    async def write(tx: Transaction, scope: Scope) -> None:
        if uid and await store.QUERY_DEFINITIONS.load(tx, scope, uid) is None:
            raise ResourceNotFoundException("The specified query definition does not exist.")
        if not uid:
            limit = QUERY_DEFINITIONS_MAX
            if len(await store.QUERY_DEFINITIONS.scan(tx, scope, limit=limit)) >= limit:
                raise LimitExceededException("Resource limit exceeded.")
        one = QueryDefinition(
            uid or made, request["name"], request["queryString"],
            tuple(request.get("logGroupNames") or ()), int(ctx.clock.now() * 1_000),
        )  # fmt: skip
        await store.QUERY_DEFINITIONS.save(tx, scope, one)

    await ctx.transact(write)
    return {"queryDefinitionId": uid or made}


@operation("DescribeQueryDefinitions")
async def describe_query_definitions(ctx: Context, request: Request) -> Request:
    """The queries that are kept, by name."""
    most = request.get("maxResults", _PAGE)
    after = read_position(request.get("nextToken"))

    async def read(tx: Transaction, scope: Scope) -> list[QueryDefinition]:
        return await store.QUERY_DEFINITIONS.lookup(
            tx, scope, "name", starts=request.get("queryDefinitionNamePrefix"),
            after=tuple(after) if after else None, limit=most + 1,
        )  # fmt: skip

    found = await ctx.transact(read)
    answer: Request = {
        "queryDefinitions": [
            {
                "queryLanguage": "CWLI",
                "queryDefinitionId": one.id,
                "name": one.name,
                "queryString": one.query,
                "lastModified": one.modified_ms,
                "logGroupNames": list(one.groups),
            }
            for one in found[:most]
        ]
    }
    if len(found) > most:
        answer["nextToken"] = make_token([found[most - 1].name, found[most - 1].id])
    return answer


@operation("DeleteQueryDefinition")
async def delete_query_definition(ctx: Context, request: Request) -> Request:
    """Keep a query no longer."""

    async def drop(tx: Transaction, scope: Scope) -> bool:
        uid = request["queryDefinitionId"]
        return await store.QUERY_DEFINITIONS.drop(tx, scope, uid) is not None

    if not await ctx.transact(drop):
        raise ResourceNotFoundException("The specified query definition does not exist.")
    return {"success": True}
