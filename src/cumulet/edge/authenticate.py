"""Who sent a request: its signature read, its key found, its claims checked, its HMAC verified."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

from cumulet.core.errors import ExpiredToken, MissingAuthentication, UnknownKey
from cumulet.core.http import Body, Request
from cumulet.core.identity import ANONYMOUS, Principal
from cumulet.kit.dispatch import Dispatcher
from cumulet.kit.ports import Credentials
from cumulet.wire.sigv4 import (
    EMPTY_SHA256,
    ParsedSignature,
    Verifier,
    check_headers_signed,
    check_service,
    check_time,
    parse,
)
from cumulet.wire.sigv4.payload import s3_body, s3_payload_hash

S3 = "s3"


class Claim(NamedTuple):
    """What a request says of its sender, with the secret to prove it; not verified yet.

    An unsigned request has no signature and the anonymous principal.
    """

    signature: ParsedSignature | None
    principal: Principal
    secret: str
    s3: bool

    @property
    def region(self) -> str:
        """The region of the credential scope, or "" when unsigned."""
        return self.signature.region if self.signature is not None else ""


class Authenticator:
    """Verifies signatures against the keys of the credentials port."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._verifier = Verifier()

    async def claim(self, request: Request, service: str, *, unsigned: bool) -> Claim:
        """Read the signature, check its scope and time, and find its key. Raises AwsError.

        `service` is the name that the scope must have. `unsigned` says whether a request without
        a signature is let through as anonymous. This reads nothing of the body.
        """
        s3 = service == S3
        signature = parse(request, s3=s3)
        if signature is None:
            if unsigned:
                return Claim(None, ANONYMOUS, "", s3)
            raise MissingAuthentication("Request is missing Authentication Token")
        now = self._dispatcher.clock.now()
        check_service(signature, service, s3=s3)
        check_time(signature, now, s3=s3)
        check_headers_signed(request, signature, s3=s3)
        credentials = self._dispatcher.need(Credentials)  # type: ignore[type-abstract]
        found = await credentials.find(signature.access_key_id, signature.session_token)
        if found is None:
            raise UnknownKey("The security token included in the request is invalid.")
        if found.expires_at is not None and found.expires_at <= now:
            raise ExpiredToken("The security token included in the request is expired")
        return Claim(signature, found.principal, found.secret, s3)

    def verify_bytes(self, request: Request, claim: Claim, body: bytes) -> None:
        """Verify the signature of a request whose body is here. Raises SignatureMismatch."""
        if claim.signature is None:
            return
        digest = sha256(body).hexdigest() if body else EMPTY_SHA256
        self._verifier.verify(request, claim.signature, claim.secret, digest, s3=False)

    def verify_s3(self, request: Request, claim: Claim) -> Body:
        """Verify S3's signature, and give the body without its framing. Raises AwsError.

        The body is checked against what was signed while it is read.
        """
        signature = claim.signature
        if signature is None:
            return s3_body(request, None, b"")
        expected = s3_payload_hash(signature)
        self._verifier.verify(request, signature, claim.secret, expected, s3=True)
        key = self._verifier.signing_key(signature, claim.secret)
        return s3_body(request, signature, key)

    async def authenticate(self, request: Request, service: str, body: bytes) -> Principal:
        """The `Authenticator` of `kit/ports.py`, for fronts whose callers sign as for AWS."""
        claim = await self.claim(request, service, unsigned=True)
        self.verify_bytes(request, claim, body)
        return claim.principal
