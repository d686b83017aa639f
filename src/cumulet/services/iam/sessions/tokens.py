"""Temporary credentials: everything about a session is sealed into its token.

No session is stored: a token that can be opened is one that we made. Who the session acts for is
looked up when its policies are asked for, so that a change or deletion counts at once.
"""

from __future__ import annotations

import base64
import binascii
import zlib

import msgspec

from cumulet.core.clock import Clock
from cumulet.core.identity import Principal
from cumulet.kit.ports import Credential, Sealer
from cumulet.services.iam.limits import SESSION_TOKEN_SIZE_MAX
from cumulet.services.iam.model import new_key_id, new_secret

_PURPOSE = "sts.session"
_CLAIMS_SIZE_MAX = 262_144


class Claims(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a session token says. `policies` are documents, or ARNs of managed policies."""

    key_id: str
    secret: str
    expires_at: float
    kind: str
    account: str
    arn: str
    user_id: str
    policy_arn: str
    policies: tuple[str, ...] = ()
    tags: dict[str, str] = {}
    context: dict[str, str | list[str]] = {}


class Session(msgspec.Struct, frozen=True):
    """Credentials as they are handed out."""

    key_id: str
    secret: str
    token: str
    expires_at: float


class TokenTooLarge(Exception):
    """The session's policies and tags do not fit into a token."""


def new_session(sealer: Sealer, clock: Clock, seconds: int, principal: Principal) -> Session:
    """Credentials for a principal, good for that many seconds. Raises TokenTooLarge."""
    claims = Claims(
        key_id=new_key_id(clock, "ASIA", principal.account),
        secret=new_secret(clock),
        expires_at=float(int(clock.now()) + seconds),
        kind=principal.kind,
        account=principal.account,
        arn=principal.arn,
        user_id=principal.user_id,
        policy_arn=principal.policy_arn,
        policies=principal.session_policies,
        tags=dict(principal.tags),
        context=dict(principal.context),
    )
    packed = zlib.compress(msgspec.msgpack.encode(claims), 6)
    token = base64.b64encode(sealer.seal(packed, _PURPOSE)).decode()
    if len(token) > SESSION_TOKEN_SIZE_MAX:
        raise TokenTooLarge
    return Session(claims.key_id, claims.secret, token, claims.expires_at)


def read_token(sealer: Sealer, token: str) -> Claims | None:
    """What a token says, or None when it is not one of ours."""
    if len(token) > SESSION_TOKEN_SIZE_MAX:
        return None
    try:
        packed = sealer.unseal(base64.b64decode(token, validate=True), _PURPOSE)
    except (ValueError, binascii.Error):
        return None
    # What could be unsealed was made by `new_session`; only another release may have made it so
    # that it cannot be read.
    try:
        plain = zlib.decompressobj().decompress(packed, _CLAIMS_SIZE_MAX)
        return msgspec.msgpack.decode(plain, type=Claims)
    except (zlib.error, msgspec.DecodeError):
        return None


def credential_of(claims: Claims) -> Credential:
    """The credential that the claims stand for."""
    principal = Principal(
        kind=claims.kind,
        account=claims.account,
        arn=claims.arn,
        user_id=claims.user_id,
        policy_arn=claims.policy_arn,
        access_key_id=claims.key_id,
        session_policies=claims.policies,
        tags=claims.tags,
        context=claims.context,
    )
    return Credential(claims.secret, principal, claims.expires_at)
