"""Users and groups as the API shows them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cumulet.services.cognito.model import Group, User


def attribute_list(user: User, names: Iterable[str] | None = None) -> list[dict[str, str]]:
    """A user's attributes with `sub` first; only those of `names` when given."""
    wanted = None if names is None else set(names)
    every = {"sub": user.sub, **user.attributes}
    return [
        {"Name": name, "Value": value}
        for name, value in every.items()
        if wanted is None or name in wanted
    ]


def user_view(user: User, names: Iterable[str] | None = None) -> dict[str, Any]:
    """A user of a list, and of AdminCreateUser."""
    return {
        "Username": user.name,
        "Attributes": attribute_list(user, names),
        "UserCreateDate": user.created,
        "UserLastModifiedDate": user.modified,
        "Enabled": user.enabled,
        "UserStatus": user.status,
    }


def factor_view(user: User) -> dict[str, Any]:
    """A user's second factors, as GetUser shows them."""
    found: dict[str, Any] = {}
    if user.factors.enabled:
        found["UserMFASettingList"] = list(user.factors.enabled)
    if user.factors.preferred:
        found["PreferredMfaSetting"] = user.factors.preferred
    return found


def group_view(group: Group) -> dict[str, Any]:
    """A group."""
    shown: dict[str, Any] = {
        "GroupName": group.name,
        "UserPoolId": group.pool,
        "CreationDate": group.created,
        "LastModifiedDate": group.modified,
    }
    if group.description:
        shown["Description"] = group.description
    if group.role:
        shown["RoleArn"] = group.role
    if group.precedence is not None:
        shown["Precedence"] = group.precedence
    return shown
