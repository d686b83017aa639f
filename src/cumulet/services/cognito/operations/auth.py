"""Signing in, and ending it: flows, challenges, refresh tokens."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.errors import (
    InvalidParameterException,
    NotAuthorizedException,
    UnauthorizedException,
    UnsupportedOperationException,
    UnsupportedTokenTypeException,
)
from cumulet.services.cognito.flow import issue, sign_in
from cumulet.services.cognito.flow.place import Place, by_client, by_pool, client_secret
from cumulet.services.cognito.model import SignIn
from cumulet.services.cognito.rules import permissions


@operation("InitiateAuth", access="open", signed=False)
async def initiate_auth(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Begin to sign in."""
    place = await by_client(ctx, request["ClientId"], request.get("ClientMetadata"))
    return await sign_in.begin(place, request["AuthFlow"], request.get("AuthParameters", {}))


@operation("AdminInitiateAuth", resource=permissions.pool, conditions=permissions.keys)
async def admin_initiate_auth(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Begin to sign in for a user, from a server."""
    place = await by_pool(
        ctx, request["UserPoolId"], request["ClientId"], request.get("ClientMetadata")
    )
    return await sign_in.begin(place, request["AuthFlow"], request.get("AuthParameters", {}))


@operation("RespondToAuthChallenge", access="open", signed=False)
async def respond_to_auth_challenge(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Answer what a sign-in asks."""
    place = await by_client(ctx, request["ClientId"], request.get("ClientMetadata"))
    return await _respond(place, request)


@operation("AdminRespondToAuthChallenge", resource=permissions.pool, conditions=permissions.keys)
async def admin_respond_to_auth_challenge(
    ctx: Context, request: Mapping[str, Any]
) -> dict[str, Any]:
    """Answer what a sign-in asks, from a server."""
    place = await by_pool(
        ctx, request["UserPoolId"], request["ClientId"], request.get("ClientMetadata")
    )
    return await _respond(place, request)


async def _respond(place: Place, request: Mapping[str, Any]) -> dict[str, Any]:
    responses = request.get("ChallengeResponses", {})
    if not responses.get("USERNAME"):
        raise InvalidParameterException("Missing required parameter USERNAME")
    return await sign_in.respond(place, request["ChallengeName"], request.get("Session"), responses)


@operation("GetTokensFromRefreshToken", access="open", signed=False)
async def get_tokens_from_refresh_token(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Exchange a refresh token for fresh tokens, and for another one when the client rotates."""
    place = await by_client(ctx, request["ClientId"], request.get("ClientMetadata"))
    if request.get("DeviceKey"):
        raise InvalidParameterException("Device tracking is not supported here: DeviceKey.")
    if not has_secret(place, request.get("ClientSecret", "")):
        raise NotAuthorizedException(f"Unable to verify secret for client {place.client_id}")
    try:
        tokens = await issue.refreshed(place, request["RefreshToken"], rotates=True)
    except AwsError:
        place.measure("TokenRefreshSuccesses", 0.0)
        raise
    return {"AuthenticationResult": tokens}


def has_secret(place: Place, given: str) -> bool:
    """Whether this is the client's secret; a client without one must give none."""
    return hmac.compare_digest(client_secret(place).encode(), given.encode())


@operation("RevokeToken", access="open", signed=False)
async def revoke_token(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """End the sign-in of a refresh token: it and its access tokens are good for nothing here."""
    place = await by_client(ctx, request["ClientId"])
    if not has_secret(place, request.get("ClientSecret", "")):
        raise UnauthorizedException("Invalid client secret")
    await revoke(place, request["Token"])
    return {}


async def revoke(place: Place, token: str) -> None:
    """End a refresh token's sign-in. One that nobody knows is no error."""
    if not place.through.settings["EnableTokenRevocation"]:
        raise UnsupportedOperationException("Revocation is not enabled for this client")
    if token.count(".") == 2:
        raise UnsupportedTokenTypeException("Unsupported token type")
    found = await place.ctx.transact(issue.find_sign_in, place.pool.id, issue.digest_of(token))
    if found is None:
        return
    if found.client != place.client_id:
        raise UnauthorizedException("Token does not belong to this client")
    await place.ctx.transact(_revoke, found)


async def _revoke(tx: Transaction, scope: Scope, seen: SignIn) -> None:
    found = await store.SIGN_INS.load(tx, scope, seen.pool, seen.id)
    if found is not None:
        await store.SIGN_INS.save(tx, scope, msgspec.structs.replace(found, revoked=True))
