"""Certificates that the installation's authority signs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kit.tls.hosts import OwnNames
from cumulet.kv.contract import Transaction
from cumulet.services.acm import store
from cumulet.services.acm.errors import (
    InvalidParameterException,
    LimitExceededException,
    unserved,
)
from cumulet.services.acm.issuing import KEYS, issue
from cumulet.services.acm.limits import CERTIFICATES_MAX, NAMES_MAX, TOKEN_SECONDS
from cumulet.services.acm.model import ISSUED, Certificate
from cumulet.services.acm.operations.tag import read_tags
from cumulet.services.acm.permissions import any_certificate


@operation("RequestCertificate", resource=any_certificate)
async def request_certificate(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Have a certificate issued for host names; it is ready at once."""
    _refuse_unserved(request)
    algorithm = request.get("KeyAlgorithm") or "RSA_2048"
    if algorithm not in KEYS:
        raise unserved(f"The key algorithm {algorithm} of requested certificates is")
    names = _names(ctx, request)
    token, now = request.get("IdempotencyToken"), ctx.clock.now()
    if token:
        found = await ctx.transact(store.find_by_token, token, now)
        if found is not None and found.names == names:
            return {"CertificateArn": found.arn(ctx.scope)}
    options = request.get("Options") or {}
    made = await asyncio.to_thread(
        issue,
        ctx.need,
        Certificate(
            id=new_uuid(ctx.clock),
            type=ISSUED,
            domain=names[0],
            names=names,
            key_algorithm=algorithm,
            body="",
            chain="",
            sealed_key=b"",
            created=now,
            not_before=now,
            not_after=now,
            validation=request.get("ValidationMethod") or "EMAIL",
            logging=options.get("CertificateTransparencyLoggingPreference") or "ENABLED",
            tags=read_tags(request.get("Tags") or (), {}),
            token=token,
            token_until=now + TOKEN_SECONDS if token else 0.0,
        ),
    )
    return {"CertificateArn": await save_new(ctx, made)}


async def save_new(ctx: Context, certificate: Certificate) -> str:
    """Keep a certificate; its ARN. Raises LimitExceededException."""

    async def save(tx: Transaction, scope: Scope) -> bool:
        return await store.save(tx, scope, certificate)

    if not await ctx.transact(save):
        raise LimitExceededException(
            f"The account has the {CERTIFICATES_MAX} certificates that it may have."
        )
    return certificate.arn(ctx.scope)


def _refuse_unserved(request: Mapping[str, Any]) -> None:
    options = request.get("Options") or {}
    if request.get("CertificateAuthorityArn"):
        raise unserved("Private certificate authorities are")
    if request.get("ManagedBy"):
        raise unserved("Certificates that other services manage are")
    if options.get("Export") == "ENABLED":
        raise unserved("The export of requested certificates is")


def _names(ctx: Context, request: Mapping[str, Any]) -> tuple[str, ...]:
    given: Sequence[str] = (request["DomainName"], *(request.get("SubjectAlternativeNames") or ()))
    names = tuple(dict.fromkeys(name.lower() for name in given))
    if len(names) > NAMES_MAX:
        raise LimitExceededException(f"A certificate can have at most {NAMES_MAX} names.")
    own = ctx.need(OwnNames).names
    for name in names:
        if name in own or (name.endswith(("amazonaws.com", ".localhost")) and "*" in name):
            raise InvalidParameterException(f"The domain name {name} is reserved.")
    for one in request.get("DomainValidationOptions") or ():
        if one["DomainName"].lower() not in names:
            raise InvalidParameterException(
                f"{one['DomainName']} is not a name of the requested certificate."
            )
    return names
