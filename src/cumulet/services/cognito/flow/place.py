"""Where an operation happens: the pool, the client, and who is signed in.

Most operations of users carry no signature: a client's id or an access token says in which account
and region they happen.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope, service_principal
from cumulet.core.usage import ACTIVE_USERS
from cumulet.kit.ports import Metrics, Sealer, Usage
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.errors import (
    InvalidParameterException,
    NotAuthorizedException,
    ResourceNotFoundException,
    UserNotFoundException,
)
from cumulet.services.cognito.model import Client, Home, Pool, SignIn, User, pool_arn
from cumulet.services.cognito.rules.clients import SELF_SERVICE
from cumulet.services.cognito.signing.identities import PoolTokens
from cumulet.services.cognito.signing.tokens import BadToken

SERVICE = "cognito-idp.amazonaws.com"
SECRET_PURPOSE = "cognito-client-secret"


@dataclass(frozen=True, slots=True)
class Place:
    """A pool, and the client through which somebody comes. `ctx` acts as Cognito, there."""

    ctx: Context
    pool: Pool
    client: Client | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    is_admin: bool = False
    is_page: bool = False
    """Whether somebody signs in on a page, which gives no tokens but a code for the client."""

    @property
    def client_id(self) -> str:
        """The client's id; what triggers are told when there is none."""
        return self.client.id if self.client is not None else "CLIENT_ID_NOT_APPLICABLE"

    @property
    def through(self) -> Client:
        """The client; operations that need one have looked."""
        assert self.client is not None
        return self.client

    @property
    def sealer(self) -> Sealer:
        """What seals secrets at rest."""
        return self.ctx.need(Sealer)

    @property
    def hides_users(self) -> bool:
        """Whether nobody may learn which users exist."""
        client = self.client
        return client is not None and client.settings["PreventUserExistenceErrors"] == "ENABLED"

    def measure(self, name: str, value: float) -> None:
        """Tell CloudWatch of a sign-up, a sign-in or a refresh: 1 for success, 0 for failure."""
        metrics = self.ctx.need(Metrics)
        dimensions = (("UserPool", self.pool.id), ("UserPoolClient", self.client_id))
        metrics.record(self.ctx.scope, "AWS/Cognito", name, dimensions, value)

    def see(self, user: User) -> None:
        """Count the user as active this month: https://aws.amazon.com/cognito/pricing/"""
        scope = self.ctx.scope
        self.ctx.need(Usage).seen(scope, pool_arn(scope, self.pool.id), ACTIVE_USERS, user.sub)

    async def user(self, name: str) -> User:
        """The user of that name or alias. Raises UserNotFoundException."""
        found = await self.ctx.transact(store.find_user, self.pool, name)
        if found is None:
            raise UserNotFoundException("User does not exist.")
        return found


def as_cognito(ctx: Context, home: Home) -> Context:
    """The context of the pool's account and region, in which Cognito itself acts."""
    context = {
        "aws:SourceArn": pool_arn(home.scope, home.pool),
        "aws:SourceAccount": home.account,
    }
    return ctx.acting_as(service_principal(SERVICE, home.account, context), region=home.region)


async def by_client(
    ctx: Context, client_id: str, metadata: Mapping[str, str] | None = None
) -> Place:
    """The client's pool. Raises ResourceNotFoundException."""
    home = await ctx.need(PoolTokens).home_of(client_id)
    if home is not None:
        there = as_cognito(ctx, home)
        pool, client = await there.transact(store.open_door, home.pool, client_id)
        if pool is not None and client is not None:
            return Place(there, pool, client, metadata or {})
    raise ResourceNotFoundException(f"User pool client {client_id} does not exist.")


async def by_pool(
    ctx: Context,
    pool_id: str,
    client_id: str = "",
    metadata: Mapping[str, str] | None = None,
) -> Place:
    """A pool of the caller's account and region. Raises ResourceNotFoundException."""
    pool, client = await ctx.transact(store.open_door, pool_id, client_id)
    if pool is None:
        raise ResourceNotFoundException(f"User pool {pool_id} does not exist.")
    if client_id and client is None:
        raise ResourceNotFoundException(f"User pool client {client_id} does not exist.")
    there = as_cognito(ctx, Home(pool_id, ctx.scope.account, ctx.scope.region, pool_id))
    return Place(there, pool, client, metadata or {}, is_admin=True)


def client_secret(place: Place) -> str:
    """The client's secret, or "" when it has none."""
    client = place.client
    if client is None or not client.secret:
        return ""
    return place.sealer.unseal(client.secret, SECRET_PURPOSE).decode()


def check_secret_hash(place: Place, given: str | None, *names: str) -> None:
    """Raise NotAuthorizedException unless the client's secret was used, when it has one.

    `names` are those that the hash may be made of: what the user typed, the name, the sub.
    """
    secret = client_secret(place)
    if not secret:
        if given:
            raise NotAuthorizedException(
                f"Client {place.client_id} is not configured with secret but SECRET_HASH was "
                "received"
            )
        return
    if not given:
        raise NotAuthorizedException(
            f"Client {place.client_id} is configured with secret but SECRET_HASH was not received"
        )
    for name in names:
        text = f"{name}{place.client_id}".encode()
        wanted = base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest())
        if hmac.compare_digest(wanted, given.encode()):
            return
    raise NotAuthorizedException(f"Unable to verify secret hash for client {place.client_id}")


@dataclass(frozen=True, slots=True)
class Bearer:
    """Somebody who came with an access token."""

    place: Place
    user: User
    sign_in: SignIn
    claims: Mapping[str, Any]


async def by_token(ctx: Context, token: str) -> Bearer:
    """Who an access token is for. Raises NotAuthorizedException."""
    tokens = ctx.need(PoolTokens)
    try:
        claims = await tokens.claims_of(token)
    except BadToken as cause:
        raise NotAuthorizedException("Invalid Access Token") from cause
    if claims.get("token_use") != "access" or "username" not in claims:
        raise NotAuthorizedException("Invalid Access Token")
    if claims["exp"] <= ctx.clock.now():
        raise NotAuthorizedException("Access Token has expired")
    if SELF_SERVICE not in str(claims.get("scope", "")).split():
        raise NotAuthorizedException("Access Token does not have required scopes")
    home = await tokens.home_of(claims["iss"].rpartition("/")[2])
    if home is None:
        raise NotAuthorizedException("Invalid Access Token")
    there = as_cognito(ctx, home)
    found = await there.transact(_signed_in, home.pool, claims)
    pool, client, user, sign_in = found
    if pool is None or client is None or user is None:
        raise UserNotFoundException("User does not exist.")
    if sign_in is None or sign_in.revoked:
        raise NotAuthorizedException("Access Token has been revoked")
    if not user.enabled:
        raise NotAuthorizedException("User is disabled.")
    return Bearer(Place(there, pool, client), user, sign_in, claims)


async def _signed_in(
    tx: Transaction, scope: Scope, pool_id: str, claims: Mapping[str, Any]
) -> tuple[Pool | None, Client | None, User | None, SignIn | None]:
    pool = await store.POOLS.load(tx, scope, pool_id)
    client = await store.CLIENTS.load(tx, scope, pool_id, str(claims.get("client_id")))
    sign_in = await store.SIGN_INS.load(tx, scope, pool_id, str(claims.get("event_id")))
    if pool is None:
        return None, None, None, None
    user = await store.USERS.load(tx, scope, pool_id, pool.folded(str(claims["username"])))
    if user is not None and user.sub != claims["sub"]:
        user = None
    return pool, client, user, sign_in


def needed(parameters: Mapping[str, str], name: str) -> str:
    """A parameter of a flow. Raises InvalidParameterException when it is missing."""
    if not parameters.get(name):
        raise InvalidParameterException(f"Missing required parameter {name}")
    return parameters[name]
