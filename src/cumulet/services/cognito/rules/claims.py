"""The claims of tokens, and how a trigger may change them. Pure.

https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html
https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cumulet.services.cognito.errors import InvalidLambdaResponseException
from cumulet.services.cognito.model import Client, Group, Pool, SignIn, User
from cumulet.services.cognito.rules.clients import may_read
from cumulet.services.cognito.rules.schema import VERIFIED

_FIXED = frozenset(
    {
        *("acr", "amr", "at_hash", "auth_time", "azp", "exp", "iat", "iss", "jti", "nbf", "nonce"),
        *("origin_jti", "sub", "token_use", "cognito:username", "event_id", "username"),
        *("client_id", "identities", "version", "device_key", "scope", "cognito:groups"),
        *("cognito:roles", "cognito:preferred_role"),
    }
)
_PER_SCOPE = {"email": ("email", "email_verified"), "phone": ("phone_number",)}


@dataclass(frozen=True, slots=True)
class Side:
    """What a trigger changes of one kind of token."""

    added: Mapping[str, Any] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    scopes_added: tuple[str, ...] = ()
    scopes_left_out: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Changes:
    """What a trigger changes. `groups` is None when they stay as they are."""

    identity: Side = Side()
    access: Side = Side()
    groups: tuple[str, ...] | None = None
    roles: tuple[str, ...] | None = None
    preferred_role: str | None = None


def read_changes(response: Mapping[str, Any], *, is_second: bool) -> Changes:
    """The changes in a trigger's response. Raises InvalidLambdaResponseException."""
    name = "claimsAndScopeOverrideDetails" if is_second else "claimsOverrideDetails"
    details = _mapping(response.get(name))
    groups = _mapping(details.get("groupOverrideDetails"))
    identity = _mapping(details.get("idTokenGeneration")) if is_second else details
    access = _mapping(details.get("accessTokenGeneration")) if is_second else {}
    listed = _texts(groups.get("groupsToOverride")) if "groupsToOverride" in groups else None
    roles = _texts(groups.get("iamRolesToOverride")) if "iamRolesToOverride" in groups else None
    preferred = groups.get("preferredRole")
    return Changes(
        _side(identity, texts_only=not is_second),
        _side(access, texts_only=False),
        listed,
        roles,
        preferred if isinstance(preferred, str) else None,
    )


def _side(given: Mapping[str, Any], *, texts_only: bool) -> Side:
    added = _mapping(given.get("claimsToAddOrOverride"))
    if texts_only and not all(isinstance(value, str) for value in added.values()):
        raise InvalidLambdaResponseException("Unrecognizable lambda output")
    return Side(
        {name: value for name, value in added.items() if name not in _FIXED},
        frozenset(_texts(given.get("claimsToSuppress"))) - _FIXED,
        _texts(given.get("scopesToAdd")),
        frozenset(_texts(given.get("scopesToSuppress"))),
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidLambdaResponseException("Unrecognizable lambda output")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise InvalidLambdaResponseException("Unrecognizable lambda output")
    return tuple(value)


def _shared(
    pool: Pool,
    client: Client,
    user: User,
    sign_in: SignIn,
    groups: Sequence[Group],
    changes: Changes,
) -> dict[str, Any]:
    names = [group.name for group in groups] if changes.groups is None else list(changes.groups)
    return {
        "sub": user.sub,
        **({"cognito:groups": names} if names else {}),
        "iss": pool.issuer,
        **({"origin_jti": sign_in.id} if client.settings["EnableTokenRevocation"] else {}),
        "event_id": sign_in.id,
        "auth_time": int(sign_in.auth_time),
    }


def access_claims(
    pool: Pool,
    client: Client,
    user: User,
    sign_in: SignIn,
    groups: Sequence[Group],
    changes: Changes,
) -> dict[str, Any]:
    """The claims of an access token but its times and id."""
    side = changes.access
    scopes = [one for one in sign_in.scopes if one not in side.scopes_left_out]
    scopes += [one for one in side.scopes_added if one not in scopes]
    claims = {
        **_shared(pool, client, user, sign_in, groups, changes),
        "client_id": client.id,
        "token_use": "access",
        "scope": " ".join(scopes),
        "username": user.name,
        **({"version": 2} if "openid" in sign_in.scopes else {}),
    }
    return _changed(claims, side)


def identity_claims(
    pool: Pool,
    client: Client,
    user: User,
    sign_in: SignIn,
    groups: Sequence[Group],
    changes: Changes,
) -> dict[str, Any]:
    """The claims of an identity token but its times and id."""
    claims = {
        **_shared(pool, client, user, sign_in, groups, changes),
        **_roles(groups, changes),
        "cognito:username": user.name,
        "aud": client.id,
        "token_use": "id",
        **({"nonce": sign_in.nonce} if sign_in.nonce else {}),
        **shown_attributes(client, user, sign_in.scopes),
    }
    return _changed(claims, changes.identity)


def _changed(claims: dict[str, Any], side: Side) -> dict[str, Any]:
    kept = {name: value for name, value in claims.items() if name not in side.left_out}
    return {**kept, **side.added}


def _roles(groups: Sequence[Group], changes: Changes) -> dict[str, Any]:
    roles = [group.role for group in groups if group.role]
    first = [group for group in groups if group.role and group.precedence is not None]
    preferred = ""
    if first:
        best = [group for group in first if group.precedence == first[0].precedence]
        # Two roles of the same rank: neither is preferred.
        preferred = best[0].role if len({group.role for group in best}) == 1 else ""
    if changes.roles is not None:
        roles = list(changes.roles)
    if changes.preferred_role is not None:
        preferred = changes.preferred_role
    return {
        **({"cognito:roles": roles} if roles else {}),
        **({"cognito:preferred_role": preferred} if preferred else {}),
    }


def shown_attributes(client: Client, user: User, scopes: Sequence[str]) -> dict[str, Any]:
    """A user's attributes as claims: those that the client may read, and the scopes are for."""
    every = {
        name: _claim(name, value)
        for name, value in user.attributes.items()
        if may_read(client, name)
    }
    narrowing = {"email", "phone", "profile"} & set(scopes)
    if not narrowing:
        return every
    allowed: set[str] = set()
    for scope in narrowing & set(_PER_SCOPE):
        allowed |= {name for name in every if name.startswith(_PER_SCOPE[scope])}
    if "profile" in narrowing:
        others = tuple(name for names in _PER_SCOPE.values() for name in names)
        allowed |= {name for name in every if not name.startswith(others)}
    return {name: value for name, value in every.items() if name in allowed}


def _claim(name: str, value: str) -> Any:
    if name in VERIFIED:
        return value == "true"
    if name == "address":
        return {"formatted": value}
    if name == "updated_at" and value.isdecimal():
        return int(value)
    return value
