"""Who is calling, and temporary credentials for users and roles."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from cumulet.core.clock import iso_time
from cumulet.core.context import Context
from cumulet.core.errors import AccessDenied, ConstraintViolation
from cumulet.core.identity import Principal, Scope
from cumulet.kit.policy import size_of_document
from cumulet.kit.ports import Sealer
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.iam import store
from cumulet.services.iam.errors import (
    MalformedPolicyDocumentException,
    PackedPolicyTooLargeException,
)
from cumulet.services.iam.limits import (
    CHAINED_SESSION_SECONDS_MAX,
    ROLE_SESSION_SECONDS,
    ROOT_SESSION_SECONDS_MAX,
    SESSION_POLICIES_MAX,
    SESSION_POLICY_SIZE_MAX,
    SESSION_TOKEN_SIZE_MAX,
    USER_SESSION_SECONDS,
)
from cumulet.services.iam.model import Role, account_in_key_id
from cumulet.services.iam.policies.documents import check_attachable, check_policy
from cumulet.services.iam.sessions.tokens import Session, TokenTooLarge, new_session
from cumulet.services.iam.sessions.trust import (
    SOURCE_IDENTITY,
    Asked,
    check_trust_of,
    read_session_tags,
    refused,
    role_session,
)


@operation("GetCallerIdentity", access="open")
async def get_caller_identity(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tell who signed the request. Needs no permission."""
    caller = ctx.caller
    return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}


@operation("GetAccessKeyInfo")
async def get_access_key_info(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tell the account of an access key id, whoever asks."""
    key_id = request["AccessKeyId"]

    async def read(tx: Transaction, scope: Scope) -> str | None:
        key = await store.ACCESS_KEYS.load(tx, store.EVERYWHERE, key_id)
        return None if key is None else key.account

    account = await ctx.transact(read)
    if account is None and key_id.startswith("ASIA"):
        account = account_in_key_id(key_id)
    if account is None:
        raise ConstraintViolation(f"Could not find the account of access key id {key_id}.")
    return {"Account": account}


# The trust policy of the role always has a say, so the decision is taken in `sessions/trust.py`.
@operation("AssumeRole", access="open")
async def assume_role(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Give credentials for a role to a caller whom it trusts."""
    caller, arn = ctx.caller, request["RoleArn"]
    if caller.is_root:
        raise AccessDenied("Roles may not be assumed by root accounts.")
    asked = Asked(
        name=request["RoleSessionName"],
        tags=read_session_tags(request.get("Tags", ())),
        transitive=tuple(request.get("TransitiveTagKeys", ())),
        source_identity=request.get("SourceIdentity", ""),
        external_id=request.get("ExternalId"),
    )
    found = await ctx.transact(load_role, arn)
    if found is None:
        raise refused(caller, "sts:AssumeRole", arn)
    scope, role = found
    await check_trust_of(ctx, scope, role, asked, "sts:AssumeRole", caller)
    known = caller.context.get(SOURCE_IDENTITY)
    if known and asked.source_identity not in ("", known):
        raise refused(caller, "sts:SetSourceIdentity", arn)
    return await hand_out(ctx, scope, role, asked, request, caller)


async def load_role(tx: Transaction, scope: Scope, arn: str) -> tuple[Scope, Role] | None:
    """The role with that ARN, in any account."""
    return await store.load_role_by_arn(tx, arn)


async def hand_out(
    ctx: Context,
    scope: Scope,
    role: Role,
    asked: Asked,
    request: Mapping[str, Any],
    caller: Principal,
) -> dict[str, Any]:
    """The answer with a role's credentials, once it is decided that they may be given."""
    seconds = _role_seconds(request, role, caller)
    principal = role_session(scope, role, asked, caller, iso_time(ctx.clock.now()))
    principal = await narrowed(ctx, scope, principal, request)
    session = open_session(ctx, seconds, principal)
    found: dict[str, Any] = {
        "Credentials": credentials(session),
        "AssumedRoleUser": {"AssumedRoleId": principal.user_id, "Arn": principal.arn},
        **packed_size(session, principal, asked.tags),
    }
    source = principal.context.get(SOURCE_IDENTITY)
    return {**found, "SourceIdentity": source} if source else found


def _role_seconds(request: Mapping[str, Any], role: Role, caller: Principal) -> int:
    given: int | None = request.get("DurationSeconds")
    if given is None:
        return ROLE_SESSION_SECONDS
    if caller.kind == "role" and given > CHAINED_SESSION_SECONDS_MAX:
        raise ConstraintViolation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by "
            "role chaining"
        )
    if given > role.session_seconds_max:
        raise ConstraintViolation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    return given


async def narrowed(
    ctx: Context, scope: Scope, principal: Principal, request: Mapping[str, Any]
) -> Principal:
    """The principal with the session policies of the request."""
    text, given = request.get("Policy"), request.get("PolicyArns", ())
    arns = [one["arn"] for one in given if "arn" in one]
    if len(arns) > SESSION_POLICIES_MAX:
        raise ConstraintViolation(f"A session can have at most {SESSION_POLICIES_MAX} policies.")

    async def check(tx: Transaction, own: Scope) -> None:
        for arn in arns:
            await check_attachable(tx, scope, arn)

    if arns:
        await ctx.transact(check)
    if text:
        check_policy(text, "inline")
        if size_of_document(text) > SESSION_POLICY_SIZE_MAX:
            raise MalformedPolicyDocumentException(
                f"Session policies are limited to {SESSION_POLICY_SIZE_MAX} characters."
            )
    policies = (*((text,) if text else ()), *arns)
    return dataclasses.replace(principal, session_policies=policies) if policies else principal


def open_session(ctx: Context, seconds: int, principal: Principal) -> Session:
    """New credentials. Raises PackedPolicyTooLargeException."""
    try:
        sealer = ctx.need(Sealer)
        return new_session(sealer, ctx.clock, seconds, principal)
    except TokenTooLarge as cause:
        raise PackedPolicyTooLargeException(
            "Packed policy and tags consume more than 100% of the allotted space."
        ) from cause


def packed_size(session: Session, principal: Principal, tags: Mapping[str, str]) -> dict[str, int]:
    """How much of the token's room policies and tags take, in percent, when there are any."""
    if not principal.session_policies and not tags:
        return {}
    return {"PackedPolicySize": max(1, 100 * len(session.token) // SESSION_TOKEN_SIZE_MAX)}


def credentials(session: Session) -> dict[str, Any]:
    """Credentials in AWS's spelling."""
    return {
        "AccessKeyId": session.key_id,
        "SecretAccessKey": session.secret,
        "SessionToken": session.token,
        "Expiration": session.expires_at,
    }


@operation("GetSessionToken", access="open")
async def get_session_token(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Give a user temporary credentials of its own. Needs no permission."""
    check_long_term(ctx.caller, "GetSessionToken")
    if "SerialNumber" in request or "TokenCode" in request:
        raise AccessDenied("MultiFactorAuthentication failed, must provide valid MFA serial number")
    seconds = request.get("DurationSeconds", USER_SESSION_SECONDS)
    if ctx.caller.is_root:
        seconds = min(seconds, ROOT_SESSION_SECONDS_MAX)
    context = {"aws:TokenIssueTime": iso_time(ctx.clock.now())}
    principal = dataclasses.replace(ctx.caller, context=context)
    return {"Credentials": credentials(open_session(ctx, seconds, principal))}


def check_long_term(caller: Principal, name: str) -> None:
    """Raise AccessDenied when the caller is a session itself."""
    if caller.kind not in ("root", "user") or caller.access_key_id.startswith("ASIA"):
        raise AccessDenied(f"Cannot call {name} with session credentials")
