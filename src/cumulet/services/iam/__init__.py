"""IAM and STS: identities, their keys and policies, and temporary credentials.

For the application:

- `await ensure_account(store, sealer, clock, account, key_id="", secret="") -> RootKey | None`
  makes an account and its root key, or adds a key that is known already.
- `await load_accounts(store) -> list[str]` lists the accounts; `new_account_id(clock)` draws one.
- `new_session(sealer, clock, seconds, principal) -> Session` makes temporary credentials.
- The ports `Credentials` and `Policies` are provided from `Store` and `Sealer`, which must be
  there before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Platform
from cumulet.kit.ports import Credentials, Policies
from cumulet.kit.service import Service, operations_of
from cumulet.services.iam.accounts import (
    RootKey,
    ensure_account,
    load_accounts,
    new_account_id,
)
from cumulet.services.iam.credentials import StoredCredentials, ports
from cumulet.services.iam.operations import (
    access_key,
    account,
    attachment,
    group,
    inline,
    policy,
    provider,
    role,
    simulation,
    tag,
    user,
    version,
)
from cumulet.services.iam.operations.sts import federation, session
from cumulet.services.iam.resources import RESOURCES
from cumulet.services.iam.sessions.tokens import Session, new_session
from cumulet.services.iam.store import TABLES
from cumulet.services.iam.workers import WORKERS

__all__ = [
    "IAM",
    "SERVICES",
    "STS",
    "RootKey",
    "Session",
    "ensure_account",
    "load_accounts",
    "new_account_id",
    "new_session",
]


def _provides(platform: Platform) -> Mapping[type, Any]:
    credentials, policies = ports(platform)
    return {Credentials: credentials, StoredCredentials: credentials, Policies: policies}


IAM = Service(
    name="iam",
    prefix="iam",
    operations=operations_of(
        *(user, group, role, access_key, inline, attachment, policy, version, tag, provider),
        *(account, simulation),
    ),
    workers=WORKERS,
    resources=RESOURCES,
    provides=_provides,
    tables=TABLES,
)

STS = Service(name="sts", prefix="sts", operations=operations_of(session, federation))

SERVICES = (IAM, STS)
