"""Codes of authenticators: RFC 6238 with SHA-1, six digits and thirty seconds. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac

STEP_SECONDS = 30
SECRET_BYTES = 32


def code_at(secret: bytes, step: int) -> str:
    """The code of one time step."""
    digest = hmac.new(secret, step.to_bytes(8), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at : at + 4]) & 0x7FFFFFFF) % 1_000_000:06d}"


def matching_step(secret: bytes, code: str, now: float) -> int:
    """The step whose code this is, of the present one and its neighbours; 0 when of none."""
    present = int(now // STEP_SECONDS)
    found = 0
    for step in (present - 1, present, present + 1):
        if hmac.compare_digest(code_at(secret, step), code):
            found = step
    return found


def shown(secret: bytes) -> str:
    """The secret as people type it into an authenticator."""
    return base64.b32encode(secret).decode().rstrip("=")
