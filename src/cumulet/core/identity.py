"""Who and where: accounts, regions, principals and ARNs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

PARTITION = "aws"
ANYWHERE = ""
"""The region of things that have none, as IAM's."""

_ACCOUNT = re.compile(r"\d{12}\Z")


class Scope(NamedTuple):
    """Where an operation happens: twelve-digit account and region."""

    account: str
    region: str

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a regional resource of this account."""
        return f"arn:{PARTITION}:{service}:{self.region}:{self.account}:{resource}"

    def global_arn(self, service: str, resource: str) -> str:
        """The ARN of an account's resource without a region, as IAM's."""
        return f"arn:{PARTITION}:{service}::{self.account}:{resource}"


class Arn(NamedTuple):
    """The six parts of an Amazon Resource Name."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return f"arn:{':'.join(self)}"


def parse_arn(text: str) -> Arn | None:
    """The parts of an ARN, or None when `text` is not one."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not parts[5]:
        return None
    return Arn(*parts[1:])


def is_account(text: str) -> bool:
    """Whether `text` is a twelve-digit account id."""
    return _ACCOUNT.match(text) is not None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls.

    `kind` is one of `root`, `user`, `role` (an assumed-role session), `federated` (a user's
    session from GetSessionToken keeps kind `user`), `service` (an AWS service principal such as
    `lambda.amazonaws.com`) and `anonymous`. `arn` is what GetCallerIdentity shows; `policy_arn`
    is the identity whose policies count (the role of a session). `session_policies` are the JSON
    documents that narrow a session. `context` holds condition keys that come with the identity.
    """

    kind: str
    account: str
    arn: str
    user_id: str
    policy_arn: str = ""
    access_key_id: str = ""
    session_policies: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_root(self) -> bool:
        """Whether this is the account itself, whom identity policies do not bind."""
        return self.kind == "root"


ANONYMOUS = Principal("anonymous", "", "*", "")


def root_principal(account: str, access_key_id: str = "") -> Principal:
    """The account itself."""
    arn = f"arn:{PARTITION}:iam::{account}:root"
    return Principal("root", account, arn, account, arn, access_key_id)


def service_principal(
    name: str, account: str, context: Mapping[str, Any] | None = None
) -> Principal:
    """An AWS service acting for `account`, e.g. `apigateway.amazonaws.com`.

    `context` holds what the service says of the call, such as `aws:SourceArn`.
    """
    return Principal("service", account, name, name, context=dict(context or {}))
