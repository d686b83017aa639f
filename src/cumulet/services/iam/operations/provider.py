"""OpenID Connect providers: whose tokens roles may trust."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from cumulet.core.context import Context
from cumulet.core.errors import ConstraintViolation
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.iam import permissions, store
from cumulet.services.iam.describe import tag_list
from cumulet.services.iam.errors import (
    EntityAlreadyExistsException,
    LimitExceededException,
    NoSuchEntityException,
)
from cumulet.services.iam.limits import (
    CLIENT_IDS_MAX,
    PROVIDERS_MAX,
    THUMBPRINTS_MAX,
)
from cumulet.services.iam.model import Provider
from cumulet.services.iam.policies.documents import read_tags


def _read_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("https", "http") or not parts.netloc or parts.query:
        raise ConstraintViolation("Invalid Open ID Connect Provider URL")
    return f"{parts.netloc}{parts.path.rstrip('/')}"


def _new(ctx: Context, request: Mapping[str, Any]) -> str:
    return ctx.scope.global_arn("iam", f"oidc-provider/{_read_url(request['Url'])}")


@operation("CreateOpenIDConnectProvider", resource=_new, conditions=permissions.request_keys)
async def create_open_id_connect_provider(
    ctx: Context, request: Mapping[str, Any]
) -> dict[str, Any]:
    """Make an issuer known, so that roles may trust its tokens."""
    provider = Provider(
        url=_read_url(request["Url"]),
        client_ids=tuple(dict.fromkeys(request.get("ClientIDList", ()))),
        thumbprints=tuple(dict.fromkeys(request.get("ThumbprintList", ()))),
        created=float(int(ctx.clock.now())),
        tags=read_tags(request.get("Tags", [])),
    )
    _check_sizes(provider)
    if not await ctx.transact(_insert, provider):
        raise EntityAlreadyExistsException(f"Provider with url {request['Url']} already exists.")
    return {
        "OpenIDConnectProviderArn": provider.arn(ctx.scope.account),
        "Tags": tag_list(provider.tags),
    }


async def _insert(tx: Transaction, scope: Scope, provider: Provider) -> bool:
    present = await store.PROVIDERS.scan(tx, scope, limit=PROVIDERS_MAX)
    if len(present) >= PROVIDERS_MAX and provider.url not in {one.url for one in present}:
        raise LimitExceededException(
            f"Cannot exceed quota for OpenIdConnectProvidersPerAccount: {PROVIDERS_MAX}"
        )
    return await store.PROVIDERS.insert(tx, scope, provider)


def _check_sizes(provider: Provider) -> Provider:
    if len(provider.thumbprints) > THUMBPRINTS_MAX:
        raise LimitExceededException(
            f"Cannot exceed quota for ThumbprintsPerOpenIdConnectProvider: {THUMBPRINTS_MAX}"
        )
    if len(provider.client_ids) > CLIENT_IDS_MAX:
        raise LimitExceededException(
            f"Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {CLIENT_IDS_MAX}"
        )
    return provider


async def load_provider(tx: Transaction, scope: Scope, arn: str) -> Provider:
    """The account's provider with that ARN. Raises NoSuchEntityException."""
    url = arn.split(":oidc-provider/", 1)[-1]
    provider = await store.PROVIDERS.load(tx, scope, url)
    if provider is None or provider.arn(scope.account) != arn:
        raise NoSuchEntityException(f"OpenIDConnect Provider not found for arn {arn}")
    return provider


@operation("GetOpenIDConnectProvider", resource=permissions.provider_named)
async def get_open_id_connect_provider(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tell about a provider."""
    provider = await ctx.transact(load_provider, request["OpenIDConnectProviderArn"])
    return {
        "Url": provider.url,
        "ClientIDList": list(provider.client_ids),
        "ThumbprintList": list(provider.thumbprints),
        "CreateDate": provider.created,
        "Tags": tag_list(provider.tags),
    }


@operation("ListOpenIDConnectProviders")
async def list_open_id_connect_providers(
    ctx: Context, request: Mapping[str, Any]
) -> dict[str, Any]:
    """List the account's providers."""
    account = ctx.scope.account

    async def work(tx: Transaction, scope: Scope) -> list[Provider]:
        return await store.PROVIDERS.scan(tx, scope, limit=PROVIDERS_MAX)

    return {
        "OpenIDConnectProviderList": [
            {"Arn": provider.arn(account)} for provider in await ctx.transact(work)
        ]
    }


@operation("DeleteOpenIDConnectProvider", resource=permissions.provider_named)
async def delete_open_id_connect_provider(
    ctx: Context, request: Mapping[str, Any]
) -> dict[str, Any]:
    """Forget an issuer; one that is not known is no error."""
    arn = request["OpenIDConnectProviderArn"]

    async def work(tx: Transaction, scope: Scope) -> None:
        url = arn.split(":oidc-provider/", 1)[-1]
        provider = await store.PROVIDERS.load(tx, scope, url)
        if provider is not None and provider.arn(scope.account) == arn:
            await store.PROVIDERS.drop(tx, scope, url)

    await ctx.transact(work)
    return {}


@operation("AddClientIDToOpenIDConnectProvider", resource=permissions.provider_named)
async def add_client_id_to_open_id_connect_provider(
    ctx: Context, request: Mapping[str, Any]
) -> dict[str, Any]:
    """Let a provider's tokens be for one more client."""
    given = request["ClientID"]
    return await _change(
        ctx,
        request,
        lambda provider: msgspec.structs.replace(
            provider, client_ids=tuple(dict.fromkeys((*provider.client_ids, given)))
        ),
    )


@operation("RemoveClientIDFromOpenIDConnectProvider", resource=permissions.provider_named)
async def remove_client_id_from_open_id_connect_provider(
    ctx: Context, request: Mapping[str, Any]
) -> dict[str, Any]:
    """Take a client from a provider."""
    given = request["ClientID"]
    return await _change(
        ctx,
        request,
        lambda provider: msgspec.structs.replace(
            provider, client_ids=tuple(one for one in provider.client_ids if one != given)
        ),
    )


@operation("UpdateOpenIDConnectProviderThumbprint", resource=permissions.provider_named)
async def update_open_id_connect_provider_thumbprint(
    ctx: Context, request: Mapping[str, Any]
) -> dict[str, Any]:
    """Replace the thumbprints of a provider."""
    given = tuple(dict.fromkeys(request["ThumbprintList"]))
    return await _change(
        ctx, request, lambda provider: msgspec.structs.replace(provider, thumbprints=given)
    )


async def _change(
    ctx: Context, request: Mapping[str, Any], change: Callable[[Provider], Provider]
) -> dict[str, Any]:
    async def work(tx: Transaction, scope: Scope) -> None:
        provider = await load_provider(tx, scope, request["OpenIDConnectProviderArn"])
        await store.PROVIDERS.save(tx, scope, _check_sizes(change(provider)))

    await ctx.transact(work)
    return {}
