"""What Certificate Manager keeps: certificates, with their keys sealed."""

from __future__ import annotations

import msgspec

from cumulet.core.identity import Scope

KEY_PURPOSE = "acm-certificate-key"
"""What private keys are sealed for."""

IMPORTED, ISSUED = "IMPORTED", "AMAZON_ISSUED"


class Certificate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One certificate. `body` and `chain` are PEM; times are in epoch seconds.

    `token` is the idempotency token of the request, with `token_until`, when it stops counting.
    """

    id: str
    type: str
    domain: str
    names: tuple[str, ...]
    key_algorithm: str
    body: str
    chain: str
    sealed_key: bytes
    created: float
    not_before: float
    not_after: float
    validation: str = ""
    logging: str = "ENABLED"
    tags: dict[str, str] = {}
    token: str | None = None
    token_until: float = 0.0
    renewed: float | None = None

    def arn(self, scope: Scope) -> str:
        """The certificate's ARN."""
        return scope.arn("acm", f"certificate/{self.id}")
