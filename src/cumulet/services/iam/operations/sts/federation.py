"""Temporary credentials for those whom others vouch for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.clock import iso_time
from cumulet.core.context import Context
from cumulet.core.errors import AccessDenied, ConstraintViolation
from cumulet.core.identity import Principal, Scope
from cumulet.kit.ports import WebIdentities
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.iam import store
from cumulet.services.iam.errors import InvalidIdentityTokenException
from cumulet.services.iam.limits import ROOT_SESSION_SECONDS_MAX, USER_SESSION_SECONDS
from cumulet.services.iam.model import Provider
from cumulet.services.iam.operations.sts.session import (
    check_long_term,
    credentials,
    hand_out,
    load_role,
    narrowed,
    open_session,
    packed_size,
)
from cumulet.services.iam.sessions.trust import (
    ISSUER_ID,
    TRANSITIVE_KEYS,
    Asked,
    check_trust_of,
    read_session_tags,
)

_KNOWN_ISSUERS = frozenset(
    {
        *("cognito-identity.amazonaws.com", "accounts.google.com"),
        *("graph.facebook.com", "www.amazon.com"),
    }
)
"""Issuers that every account knows without a provider."""

_TAGS_CLAIM = "https://aws.amazon.com/tags"
_ACTION = "sts:AssumeRoleWithWebIdentity"


def _federated_arn(ctx: Context, request: Mapping[str, Any]) -> str:
    return ctx.scope.global_arn("sts", f"federated-user/{request['Name']}")


def _federated_keys(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    return Asked(name=request["Name"], tags=read_session_tags(request.get("Tags", ()))).keys()


@operation("GetFederationToken", resource=_federated_arn, conditions=_federated_keys)
async def get_federation_token(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Give credentials to somebody whom the calling user vouches for.

    They allow what both the user and the policies of the request allow; without such policies they
    allow only what the policy of a resource grants to the federated user by its ARN.
    """
    caller = ctx.caller
    check_long_term(caller, "GetFederationToken")
    seconds = request.get("DurationSeconds", USER_SESSION_SECONDS)
    if caller.is_root:
        seconds = min(seconds, ROOT_SESSION_SECONDS_MAX)
    account, name = caller.account, request["Name"]
    tags = read_session_tags(request.get("Tags", ()))
    context: dict[str, Any] = {
        "aws:TokenIssueTime": iso_time(ctx.clock.now()),
        ISSUER_ID: caller.user_id,
    }
    if tags:
        context[TRANSITIVE_KEYS] = list(tags)
    principal = Principal(
        kind="federated",
        account=account,
        arn=f"arn:aws:sts::{account}:federated-user/{name}",
        user_id=f"{account}:{name}",
        policy_arn=caller.policy_arn,
        tags={**caller.tags, **tags},
        context=context,
    )
    principal = await narrowed(ctx, Scope(account, ""), principal, request)
    session = open_session(ctx, seconds, principal)
    return {
        "Credentials": credentials(session),
        "FederatedUser": {"FederatedUserId": principal.user_id, "Arn": principal.arn},
        **packed_size(session, principal, tags),
    }


# Unsigned: the token of the issuer says who is calling.
@operation("AssumeRoleWithWebIdentity", access="open", signed=False)
async def assume_role_with_web_identity(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Give credentials for a role to whoever has a token of an issuer that the role trusts."""
    claims = await _verified(ctx, request["WebIdentityToken"])
    found = await ctx.transact(load_role, request["RoleArn"])
    if found is None:
        raise AccessDenied(f"Not authorized to perform {_ACTION}")
    scope, role = found
    issuer = str(claims.get("iss", "")).removeprefix("https://").rstrip("/")
    caller = await _principal(ctx, scope, issuer, claims)
    asked = _asked(request["RoleSessionName"], claims)
    try:
        await check_trust_of(ctx, scope, role, asked, _ACTION, caller)
    except AccessDenied as cause:
        raise AccessDenied(f"Not authorized to perform {_ACTION}") from cause
    answer = await hand_out(ctx, scope, role, asked, request, caller)
    return {
        **answer,
        "SubjectFromWebIdentityToken": caller.user_id,
        "Provider": caller.arn,
        "Audience": _audiences(claims)[0],
    }


async def _verified(ctx: Context, token: str) -> Mapping[str, Any]:
    try:
        identities = ctx.need(WebIdentities)
    except KeyError as cause:
        raise InvalidIdentityTokenException(
            "This cloud has no issuer of web identities."
        ) from cause
    claims = await identities.verify(token)
    if claims is None:
        raise InvalidIdentityTokenException(
            "The web identity token that was passed could not be validated: its issuer is not "
            "known, or it is expired or altered."
        )
    return claims


async def _principal(
    ctx: Context, scope: Scope, issuer: str, claims: Mapping[str, Any]
) -> Principal:
    audiences = _audiences(claims)
    arn = issuer
    if issuer not in _KNOWN_ISSUERS:
        provider = await ctx.transact(_provider, scope, issuer)
        if provider is None:
            raise InvalidIdentityTokenException(
                f"No OpenIDConnect provider found in your account for https://{issuer}"
            )
        if not set(audiences) & set(provider.client_ids):
            raise InvalidIdentityTokenException("Incorrect token audience")
        arn = provider.arn(scope.account)
    subject = str(claims.get("sub", ""))
    context: dict[str, Any] = {
        f"{issuer}:aud": audiences[0],
        f"{issuer}:sub": subject,
        "aws:FederatedProvider": arn,
    }
    if isinstance(claims.get("amr"), list):
        context[f"{issuer}:amr"] = claims["amr"]
    return Principal("federated", scope.account, arn, subject, context=context)


async def _provider(tx: Transaction, own: Scope, scope: Scope, issuer: str) -> Provider | None:
    return await store.PROVIDERS.load(tx, scope, issuer)


def _audiences(claims: Mapping[str, Any]) -> list[str]:
    given = claims.get("aud") or claims.get("client_id") or ""
    return [str(one) for one in given] if isinstance(given, list) and given else [str(given)]


def _asked(name: str, claims: Mapping[str, Any]) -> Asked:
    carried = claims.get(_TAGS_CLAIM)
    if not isinstance(carried, Mapping):
        return Asked(name=name)
    given = carried.get("principal_tags", {})
    if not isinstance(given, Mapping):
        raise ConstraintViolation("The session tags of the token are not valid.")
    tags = [
        {"Key": str(key), "Value": str(value[0] if isinstance(value, list) and value else value)}
        for key, value in given.items()
    ]
    transitive = carried.get("transitive_tag_keys") or ()
    return Asked(
        name=name, tags=read_session_tags(tags), transitive=tuple(str(key) for key in transitive)
    )
