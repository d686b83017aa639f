"""A creation that was cut off by a kill and is run again takes up what the first try made."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from cumulet.core.clock import SystemClock
from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope, root_principal
from cumulet.kit.dispatch import Dispatcher
from cumulet.kit.resources import Draft, Provisioned
from cumulet.kv.memory import MemoryStore
from cumulet.services.apigateway import V2
from cumulet.wire.catalog import Catalog

SCOPE = Scope("123456789012", "eu-west-1")
_CATALOG = Catalog(Path(tempfile.gettempdir()) / "cumulet-test-models")
TYPES = {one.name.rpartition("::")[2]: one for one in V2.resources}
WEB = {
    "IntegrationType": "HTTP_PROXY",
    "IntegrationMethod": "GET",
    "IntegrationUri": "http://127.0.0.1:1/",
    "PayloadFormatVersion": "1.0",
    "RequestParameters": {"overwrite:header.x": "y"},
}
JWT = {
    "Name": "jwt",
    "AuthorizerType": "JWT",
    "IdentitySource": ["$request.header.Authorization"],
    "JwtConfiguration": {"Audience": ["me"], "Issuer": "https://issuer.example"},
}


def draft(name: str, *, resumed: bool = False) -> Draft:
    return Draft("arn:stack", "stack", name, f"token{name}", resumed, "")


def play(work: Callable[[Context], Awaitable[None]]) -> None:
    dispatcher = Dispatcher(
        store=MemoryStore(),
        clock=SystemClock(),
        catalog=_CATALOG,
        services=(V2,),
        endpoint="http://127.0.0.1:4566",
    )
    asyncio.run(work(dispatcher.context(SCOPE, root_principal(SCOPE.account))))


async def twice(ctx: Context, kind: str, props: dict[str, Any]) -> Provisioned:
    """Creates, and creates again as after a kill; both must be the same thing."""
    first = await TYPES[kind].create(ctx, props, draft(kind))
    again = await TYPES[kind].create(ctx, props, draft(kind, resumed=True))
    assert again.physical_id == first.physical_id
    assert again.attributes == first.attributes
    return first


def test_an_api_and_its_parts_are_made_once():
    async def work(ctx: Context) -> None:
        api = (await twice(ctx, "Api", {"Name": "a", "ProtocolType": "HTTP"})).physical_id
        owner = {"ApiId": api}
        backend = await twice(ctx, "Integration", {**owner, **WEB})
        authorizer = await twice(ctx, "Authorizer", {**owner, **JWT})
        route = {
            "RouteKey": "GET /",
            "Target": f"integrations/{backend.physical_id}",
            "AuthorizationType": "JWT",
            "AuthorizerId": authorizer.physical_id,
        }
        await twice(ctx, "Route", {**owner, **route})
        await twice(ctx, "Model", {**owner, "Name": "M", "Schema": {"type": "object"}})
        await twice(ctx, "Stage", {**owner, "StageName": "s", "AutoDeploy": True})
        for listing in ("Apis", "Integrations", "Authorizers", "Routes", "Models", "Stages"):
            where = {} if listing == "Apis" else owner
            found = await ctx.call("apigatewayv2", f"Get{listing}", **where)
            assert len(found["Items"]) == 1, listing

    play(work)


def test_an_api_from_a_document_is_made_once():
    body = {
        "openapi": "3.0.1",
        "info": {"title": "documented"},
        "paths": {"/x": {"get": {}}},
    }

    async def work(ctx: Context) -> None:
        made = await twice(ctx, "Api", {"Body": body, "Description": "said"})
        found = await ctx.call("apigatewayv2", "GetApi", ApiId=made.physical_id)
        assert (found["Name"], found["Description"]) == ("documented", "said")
        assert len((await ctx.call("apigatewayv2", "GetApis"))["Items"]) == 1

    play(work)


def test_responses_of_sockets_are_made_once():
    async def work(ctx: Context) -> None:
        selection = {"RouteSelectionExpression": "$request.body.a"}
        props = {"Name": "s", "ProtocolType": "WEBSOCKET", **selection}
        api = {"ApiId": (await twice(ctx, "Api", props)).physical_id}
        mock = {"IntegrationType": "MOCK", "RequestTemplates": {"application/json": "{}"}}
        backend = (await twice(ctx, "Integration", {**api, **mock})).physical_id
        answer = {"IntegrationResponseKey": "$default", "IntegrationId": backend}
        await twice(ctx, "IntegrationResponse", {**api, **answer})
        route = (await twice(ctx, "Route", {**api, "RouteKey": "$default"})).physical_id
        await twice(ctx, "RouteResponse", {**api, "RouteId": route, "RouteResponseKey": "$default"})

    play(work)


def test_what_another_made_is_not_taken_over():
    async def work(ctx: Context) -> None:
        api = await TYPES["Api"].create(ctx, {"Name": "a", "ProtocolType": "HTTP"}, draft("Api"))
        owner = {"ApiId": api.physical_id, "RouteKey": "GET /"}
        await ctx.call("apigatewayv2", "CreateRoute", **owner)
        with pytest.raises(AwsError, match="already exists"):
            await TYPES["Route"].create(ctx, owner, draft("Route"))

    play(work)


def test_what_is_gone_is_no_error():
    async def work(ctx: Context) -> None:
        api = await TYPES["Api"].create(ctx, {"Name": "a", "ProtocolType": "HTTP"}, draft("Api"))
        owner = {"ApiId": api.physical_id, "StageName": "s", "RouteId": "r", "IntegrationId": "i"}
        for kind in (
            *("Route", "Integration", "Authorizer", "Model", "Stage", "Deployment"),
            *("RouteResponse", "IntegrationResponse"),
        ):
            await TYPES[kind].delete(ctx, "nothing", owner)
        await TYPES["Api"].delete(ctx, api.physical_id, {})
        await TYPES["Api"].delete(ctx, api.physical_id, {})
        assert await TYPES["Route"].read(ctx, "nothing", owner) is None

    play(work)
