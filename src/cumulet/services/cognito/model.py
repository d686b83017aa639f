"""What user pools are made of: frozen records, and the names that they go by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.clock import Clock
from cumulet.core.identity import Scope

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

UNCONFIRMED = "UNCONFIRMED"
CONFIRMED = "CONFIRMED"
MUST_CHANGE = "FORCE_CHANGE_PASSWORD"
MUST_RESET = "RESET_REQUIRED"
UNNAMED_SENDER = "no-reply@verificationemail.com"
"""Who sends the messages of pools that do not say, as in AWS."""


class Home(msgspec.Struct, frozen=True):
    """Where something lies that is found by its id alone: a pool, a client or a domain."""

    id: str
    account: str
    region: str
    pool: str

    @property
    def scope(self) -> Scope:
        """The account and region."""
        return Scope(self.account, self.region)


class Pool(msgspec.Struct, frozen=True):
    """A user pool. `settings` are in AWS's spelling, with all defaults; `schema` by full name."""

    id: str
    name: str
    settings: dict[str, Any]
    schema: dict[str, dict[str, Any]]
    created: float
    modified: float
    tags: dict[str, str] = {}
    pepper: bytes = b""
    """Sealed; from it come the salts of users who do not exist, so that they stay the same."""

    @property
    def code(self) -> str:
        """What follows the region in the id; the name that SRP mixes into passwords."""
        return self.id.partition("_")[2]

    @property
    def issuer(self) -> str:
        """The `iss` of its tokens, as AWS spells it."""
        return f"https://cognito-idp.{self.id.partition('_')[0]}.amazonaws.com/{self.id}"

    @property
    def is_case_sensitive(self) -> bool:
        """Whether `Ann` and `ann` are two users."""
        return bool(self.settings.get("UsernameConfiguration", {}).get("CaseSensitive", True))

    def folded(self, name: str) -> str:
        """A user name as it is compared."""
        return name if self.is_case_sensitive else name.lower()

    def triggers(self) -> Mapping[str, Any]:
        """The functions that are called, by trigger."""
        found: Mapping[str, Any] = self.settings.get("LambdaConfig", {})
        return found


class Client(msgspec.Struct, frozen=True):
    """An app client. `secret` is sealed, or empty; `settings` are in AWS's spelling."""

    id: str
    pool: str
    name: str
    settings: dict[str, Any]
    created: float
    modified: float
    secret: bytes = b""


class Password(msgspec.Struct, frozen=True):
    """What is kept of a password: the SRP salt, and the verifier, sealed.

    `expires_at` is set for a temporary one (epoch seconds).
    """

    salt: str
    verifier: bytes
    set_at: float
    expires_at: float | None = None


class Factors(msgspec.Struct, frozen=True):
    """Second factors: which are on, which is preferred, and the authenticator's secret, sealed.

    `totp_step` is the last time step that was used, so that a code is good for once.
    """

    enabled: tuple[str, ...] = ()
    preferred: str = ""
    totp: bytes = b""
    totp_step: int = 0


class User(msgspec.Struct, frozen=True):
    """A user of a pool. `key` is the name as it is compared."""

    pool: str
    key: str
    name: str
    sub: str
    attributes: dict[str, str]
    status: str
    created: float
    modified: float
    enabled: bool = True
    password: Password | None = None
    factors: Factors = Factors()
    failures: int = 0
    locked_until: float = 0.0
    groups: tuple[str, ...] = ()
    pending: dict[str, str] = {}
    """New addresses and numbers that wait for their codes."""


class Group(msgspec.Struct, frozen=True):
    """A group of users."""

    pool: str
    name: str
    created: float
    modified: float
    description: str = ""
    role: str = ""
    precedence: int | None = None


class Code(msgspec.Struct, frozen=True):
    """A code that was sent to a user for one purpose; it is sealed."""

    pool: str
    user: str
    purpose: str
    sealed: bytes
    expires_at: float
    attribute: str
    value: str
    """The address or number that it was sent to: only that one does it prove."""
    tries: int = 0
    sent: int = 1
    window: float = 0.0
    client: str = ""


class Attempt(msgspec.Struct, frozen=True):
    """A sign-in that waits for the answer to a challenge; found by the digest of its session.

    `state` is sealed: what the server must remember and nobody may see.
    """

    digest: bytes
    pool: str
    client: str
    user: str
    challenge: str
    expires_at: float
    state: bytes
    tries: int = 0


class SignIn(msgspec.Struct, frozen=True):
    """Somebody who is signed in to a client, for as long as it is not revoked.

    `refresh` is the digest of the refresh token, `previous` that of the one it replaced, which is
    taken until `previous_until`. `scopes` are those of the access tokens.
    """

    id: str
    pool: str
    client: str
    user: str
    auth_time: float
    expires_at: float
    scopes: tuple[str, ...]
    refresh: bytes = b""
    previous: bytes = b""
    previous_until: float = 0.0
    nonce: str = ""
    spent: tuple[bytes, ...] = ()
    """Digests of tokens that were exchanged; one of them back means that somebody stole it."""
    revoked: bool = False


class SigningKey(msgspec.Struct, frozen=True):
    """An RSA key of a pool: the private half is sealed. `retired_at` is when it signed last."""

    pool: str
    id: str
    private: bytes
    public: dict[str, str]
    created: float
    retired_at: float | None = None
    is_next: bool = False


class Server(msgspec.Struct, frozen=True):
    """A resource server and the scopes that it has: name → description."""

    pool: str
    identifier: str
    name: str
    scopes: dict[str, str]


class Domain(msgspec.Struct, frozen=True):
    """The prefix under which a pool's pages and OAuth endpoints are served."""

    name: str
    account: str
    region: str
    pool: str
    version: int = 1


class OAuthCode(msgspec.Struct, frozen=True):
    """An authorization code, good for once. Only its digest is kept."""

    digest: bytes
    pool: str
    client: str
    user: str
    redirect: str
    scopes: tuple[str, ...]
    challenge: str
    nonce: str
    auth_time: float
    expires_at: float


class Mail(msgspec.Struct, frozen=True):
    """A message that was delivered to the mailbox. `medium` is `EMAIL` or `SMS`."""

    id: str
    sent_at: float
    medium: str
    to: str
    sender: str
    subject: str
    body: str
    pool: str
    user: str
    reply_to: str = ""
    relay: str = ""
    """What became of it by SMTP: `waiting`, `sent`, `not yet: …`, `failed: …`; "" without."""


class ImportJob(msgspec.Struct, frozen=True):
    """A job that imports users. `upload` names its file, of which `offset` bytes are done.

    `line` is how many lines that is; `header` the columns once they were read.
    """

    pool: str
    id: str
    name: str
    account: str
    region: str
    role: str
    created: float
    status: str
    upload: str = ""
    size: int = 0
    started: float = 0.0
    ended: float = 0.0
    imported: int = 0
    skipped: int = 0
    failed: int = 0
    message: str = ""
    header: tuple[str, ...] = ()
    line: int = 0
    offset: int = 0

    @property
    def is_active(self) -> bool:
        """Whether it is under way."""
        return self.status in ("Pending", "InProgress", "Stopping")


class ImportPart(msgspec.Struct, frozen=True):
    """A part of the file of an import job."""

    pool: str
    job: str
    upload: str
    number: int
    data: bytes


def new_code(clock: Clock, length: int) -> str:
    """Letters and digits without bias, for ids and secrets."""
    found = ""
    while len(found) < length:
        found += "".join(_ALPHABET[b % 62] for b in clock.random_bytes(length * 2) if b < 248)
    return found[:length]


def new_digits(clock: Clock, length: int = 6) -> str:
    """A code of decimal digits without bias."""
    found = ""
    while len(found) < length:
        found += "".join(str(b % 10) for b in clock.random_bytes(length * 2) if b < 250)
    return found[:length]


def pool_arn(scope: Scope, pool: str) -> str:
    """The ARN of a user pool."""
    return scope.arn("cognito-idp", f"userpool/{pool}")
