"""Whom a statement of a resource's policy speaks of.

Follows https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from cumulet.core.identity import PARTITION, Principal, is_account
from cumulet.kit.policy.model import MalformedPolicy

_ROOT = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):root\Z")


class Named(IntEnum):
    """How closely a statement names the caller; it matters for what else must allow.

    - `account`: it names the caller's account, which passes the question on to the account's own
      identity policies.
    - `role`: it names the caller's role or everybody; the boundary and the session still limit.
    - `direct`: it names the user or the session itself, and nothing else is needed within one
      account.
    """

    no = 0
    account = 1
    role = 2
    direct = 3


class Principals:
    """A `Principal` element, ready to be asked."""

    __slots__ = ("_aws", "_everyone", "_federated", "_services")

    def __init__(self, element: Any) -> None:
        given = {"AWS": "*"} if element == "*" else element
        if not isinstance(given, Mapping) or not given:
            raise MalformedPolicy("Invalid principal in policy.")
        kinds: dict[str, frozenset[str]] = {}
        for kind, value in given.items():
            if kind not in ("AWS", "Service", "Federated", "CanonicalUser"):
                raise MalformedPolicy(f'Invalid principal in policy: "{kind}"')
            kinds[kind] = frozenset(_parse_names(kind, value))
        aws = kinds.get("AWS", frozenset())
        self._everyone = "*" in aws
        self._aws = frozenset(map(_account_arn, aws))
        self._services = kinds.get("Service", frozenset())
        self._federated = kinds.get("Federated", frozenset())

    def name(self, caller: Principal) -> Named:
        """How closely this names the caller, at the best."""
        if caller.kind == "service":
            named = self._everyone or caller.arn in self._services
            return Named.direct if named else Named.no
        if caller.arn in self._aws or caller.arn in self._federated:
            return Named.direct
        if self._everyone:
            return Named.role if caller.kind in ("role", "federated") else Named.direct
        if caller.policy_arn and caller.policy_arn in self._aws:
            return Named.role
        if caller.account and account_root(caller.account) in self._aws:
            return Named.account
        return Named.no

    def name_whole(self, caller: Principal) -> bool:
        """Whether it names every side of the caller: session, role and account.

        `NotPrincipal` with `Deny` spares nobody else.
        """
        if caller.kind == "service" or self._everyone:
            return self.name(caller) is not Named.no
        if caller.arn in self._federated:
            return True
        sides = {caller.arn, caller.policy_arn or caller.arn, account_root(caller.account)}
        return sides <= self._aws


def account_root(account: str) -> str:
    """The ARN that stands for an account."""
    return f"arn:{PARTITION}:iam::{account}:root"


def _account_arn(name: str) -> str:
    if is_account(name):
        return account_root(name)
    found = _ROOT.match(name)
    return account_root(found[1]) if found else name


def _parse_names(kind: str, value: Any) -> list[str]:
    names = value if isinstance(value, list) else [value]
    for name in names:
        if not isinstance(name, str) or not _is_name(kind, name):
            raise MalformedPolicy(f'Invalid principal in policy: "{kind}":"{name}"')
    return names


def _is_name(kind: str, name: str) -> bool:
    if name == "*":
        return kind == "AWS"
    if "*" in name or "?" in name:
        return False
    if kind == "AWS":
        # What is neither account nor ARN is a unique id, which a deleted identity leaves behind.
        return is_account(name) or name.startswith("arn:aws") or name.isalnum()
    return bool(name)
