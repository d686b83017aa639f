"""Identities, keys and policies as frozen records, and the pure rules on them."""

from __future__ import annotations

import base64
import binascii
from typing import TypeAlias

import msgspec

from cumulet.core.clock import Clock
from cumulet.core.identity import PARTITION

ACTIVE = "Active"
INACTIVE = "Inactive"
ROOT = ""
"""The user name under which the keys of the account itself are kept."""


class Account(msgspec.Struct, frozen=True):
    """An account of this cloud. Times are in epoch seconds."""

    id: str
    created: float
    alias: str = ""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A user; `groups` are the keys of its groups, `attached` ARNs of managed policies."""

    name: str
    path: str
    id: str
    created: float
    inline: dict[str, str] = {}
    attached: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    boundary: str = ""
    tags: dict[str, str] = {}

    @property
    def key(self) -> str:
        """The name without case, by which it is unique."""
        return self.name.lower()

    def arn(self, account: str) -> str:
        """Its ARN in that account."""
        return entity_arn(account, "user", self.path, self.name)


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group of users."""

    name: str
    path: str
    id: str
    created: float
    inline: dict[str, str] = {}
    attached: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The name without case, by which it is unique."""
        return self.name.lower()

    def arn(self, account: str) -> str:
        """Its ARN in that account."""
        return entity_arn(account, "group", self.path, self.name)


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """A role; `trust` is the policy that says who may assume it."""

    name: str
    path: str
    id: str
    created: float
    trust: str
    inline: dict[str, str] = {}
    attached: tuple[str, ...] = ()
    description: str | None = None
    session_seconds_max: int = 3_600
    boundary: str = ""
    tags: dict[str, str] = {}

    @property
    def key(self) -> str:
        """The name without case, by which it is unique."""
        return self.name.lower()

    def arn(self, account: str) -> str:
        """Its ARN in that account."""
        return entity_arn(account, "role", self.path, self.name)


Entity: TypeAlias = User | Group | Role


class AccessKey(msgspec.Struct, frozen=True):
    """A long-term key; `owner` is a user's key, or ROOT. The secret is sealed."""

    id: str
    account: str
    owner: str
    sealed: bytes
    created: float
    status: str = ACTIVE


class KeyUse(msgspec.Struct, frozen=True):
    """When a key was used last, as it was written down once a minute."""

    id: str
    at: float


class ManagedPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that can be attached. `version` and `version_last` count from 1."""

    name: str
    path: str
    id: str
    created: float
    updated: float
    description: str = ""
    version: int = 1
    version_last: int = 1
    tags: dict[str, str] = {}

    @property
    def key(self) -> str:
        """The name without case, by which it is unique."""
        return self.name.lower()

    def arn(self, account: str) -> str:
        """Its ARN in that account."""
        return entity_arn(account, "policy", self.path, self.name)


class PolicyVersion(msgspec.Struct, frozen=True):
    """One document of a managed policy."""

    policy: str
    number: int
    document: str
    created: float


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """An issuer of OpenID Connect tokens that roles may trust; `url` is without `https://`."""

    url: str
    client_ids: tuple[str, ...]
    thumbprints: tuple[str, ...]
    created: float
    tags: dict[str, str] = {}

    def arn(self, account: str) -> str:
        """Its ARN in that account."""
        return f"arn:{PARTITION}:iam::{account}:oidc-provider/{self.url}"


def entity_arn(account: str, kind: str, path: str, name: str) -> str:
    """The ARN of an IAM entity; the path begins and ends with a slash."""
    return f"arn:{PARTITION}:iam::{account}:{kind}{path}{name}"


def new_key_id(clock: Clock, prefix: str, account: str) -> str:
    """An access key id. The account can be read from it, as from AWS's own."""
    number = (1 << 47) | (int(account) << 7) | (clock.random_bytes(1)[0] & 0x7F)
    text = base64.b32encode(number.to_bytes(6, "big") + clock.random_bytes(4)).decode()
    return prefix + text


def new_secret(clock: Clock) -> str:
    """A secret access key: forty characters."""
    return base64.b64encode(clock.random_bytes(30)).decode()


def account_in_key_id(key_id: str) -> str | None:
    """The account that an access key id made by `new_key_id` tells, or None."""
    try:
        raw = base64.b32decode(key_id[4:])
    except (binascii.Error, ValueError):
        return None
    if len(raw) != 10:
        return None
    return f"{(int.from_bytes(raw[:6], 'big') & 0x7FFF_FFFF_FF80) >> 7:012d}"
