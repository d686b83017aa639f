"""Which role an identity gets: the pool's, the token's, or a rule's. Pure.

https://docs.aws.amazon.com/cognito/latest/developerguide/role-based-access-control.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.services.cognito.errors import (
    InvalidIdentityPoolConfigurationException,
    NotAuthorizedException,
)
from cumulet.services.cognito.identity.model import IdentityPool

_UNSET = "Invalid identity pool configuration. Check assigned IAM roles for this pool."


def role_for(pool: IdentityPool, claims: Mapping[str, Mapping[str, Any]], custom_role: str) -> str:
    """The ARN of the role. `claims` are those of the tokens, by provider; none for a guest.

    Raises InvalidIdentityPoolConfigurationException or NotAuthorizedException.
    """
    if not claims:
        return _plain(pool, "unauthenticated")
    for provider, told in claims.items():
        mapping = _mapping(pool, provider, told)
        if mapping is None:
            continue
        found = _by_token(told, custom_role) if mapping["Type"] == "Token" else ""
        if mapping["Type"] == "Rules":
            found = _by_rules(mapping["RulesConfiguration"]["Rules"], told)
        if found:
            return found
        if mapping.get("AmbiguousRoleResolution") == "Deny":
            raise NotAuthorizedException("Access is denied by the role mapping.")
    return _plain(pool, "authenticated")


def _mapping(
    pool: IdentityPool, provider: str, claims: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = pool.mappings.get(f"{provider}:{claims.get('aud')}")
    return found if found is not None else pool.mappings.get(provider)


def _plain(pool: IdentityPool, kind: str) -> str:
    if kind not in pool.roles:
        raise InvalidIdentityPoolConfigurationException(_UNSET)
    return pool.roles[kind]


def _by_token(claims: Mapping[str, Any], custom_role: str) -> str:
    roles = claims.get("cognito:roles") or []
    if custom_role:
        if custom_role not in roles:
            raise NotAuthorizedException("Role is not one of the token's: CustomRoleArn.")
        return custom_role
    preferred = str(claims.get("cognito:preferred_role") or "")
    return preferred or (roles[0] if len(roles) == 1 else "")


def _by_rules(rules: list[Mapping[str, Any]], claims: Mapping[str, Any]) -> str:
    for rule in rules:
        held = claims.get(rule["Claim"])
        values = [str(one) for one in held] if isinstance(held, list) else [str(held)]
        if held is not None and _fits(rule["MatchType"], values, rule["Value"]):
            return str(rule["RoleARN"])
    return ""


def _fits(kind: str, values: list[str], wanted: str) -> bool:
    if kind == "Equals":
        return wanted in values
    if kind == "NotEqual":
        return wanted not in values
    if kind == "StartsWith":
        return any(value.startswith(wanted) for value in values)
    return any(wanted in value for value in values)
