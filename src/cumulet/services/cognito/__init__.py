"""Cognito: user pools with their sign-in pages, and identity pools. A table of contents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Platform
from cumulet.kit.ports import WebIdentities
from cumulet.kit.service import Service, operations_of
from cumulet.services.cognito import store
from cumulet.services.cognito.flow.outgoing.queue import Outgoing
from cumulet.services.cognito.flow.work import PasswordWork
from cumulet.services.cognito.identity import access, model
from cumulet.services.cognito.identity import pool as identity_pool
from cumulet.services.cognito.operations import (
    admin,
    auth,
    client,
    group,
    imports,
    members,
    mfa,
    oauth,
    password,
    pool,
    profile,
    sign_up,
)
from cumulet.services.cognito.resources.identity_pool import IDENTITY_POOLS
from cumulet.services.cognito.resources.parts import PARTS
from cumulet.services.cognito.resources.user_pool import USER_POOL
from cumulet.services.cognito.signing.identities import PoolTokens
from cumulet.services.cognito.surface import SURFACES
from cumulet.services.cognito.workers import WORKERS


def _provides(platform: Platform) -> Mapping[type, Any]:
    tokens = PoolTokens(platform)
    return {
        PoolTokens: tokens,
        WebIdentities: tokens,
        PasswordWork: PasswordWork(),
        Outgoing: Outgoing(platform),
    }


SERVICE = Service(
    name="cognito-idp",
    prefix="cognito-idp",
    operations=operations_of(
        *(pool, client, oauth, group, admin, members, imports),
        *(sign_up, password, profile, auth, mfa),
    ),
    workers=WORKERS,
    surfaces=SURFACES,
    resources=(USER_POOL, *PARTS),
    provides=_provides,
    tables=store.TABLES,
)

IDENTITY = Service(
    name="cognito-identity",
    prefix="cognito-identity",
    operations=operations_of(identity_pool, access),
    resources=IDENTITY_POOLS,
    tables=model.TABLES,
)
SERVICES = (SERVICE, IDENTITY)
