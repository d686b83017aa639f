"""Certificates: import, describe, list, read, export, delete. Requests are in `request.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import serialization

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.ports import Sealer
from cumulet.kit.service import operation
from cumulet.services.acm import store
from cumulet.services.acm.errors import (
    ResourceInUseException,
    ValidationException,
    no_certificate,
    unserved,
)
from cumulet.services.acm.limits import PAGE_DEFAULT
from cumulet.services.acm.material import (
    key_algorithm,
    names_of,
    read_certificate,
    read_chain,
    read_key,
)
from cumulet.services.acm.model import IMPORTED, KEY_PURPOSE, Certificate
from cumulet.services.acm.operations.request import save_new
from cumulet.services.acm.operations.tag import read_tags
from cumulet.services.acm.permissions import (
    any_certificate,
    certificate_id,
    for_services,
    named_certificate,
)
from cumulet.services.acm.usage import users_of
from cumulet.services.acm.views import detail, is_wanted, summary


@operation("ImportCertificate", resource=any_certificate)
async def import_certificate(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Keep a certificate that was made elsewhere, or put one in the place of another import."""
    arn = request.get("CertificateArn")
    if arn and request.get("Tags"):
        raise ValidationException("Tagging is not permitted on re-import.")
    old = await _need(ctx, arn) if arn else None
    if old is not None and old.type != IMPORTED:
        raise ValidationException("Only imported certificates can be imported again.")
    own = read_certificate(request["Certificate"])
    chain = read_chain(request.get("CertificateChain"), own)
    key = await asyncio.to_thread(read_key, request["PrivateKey"], own)
    now = ctx.clock.now()
    if own.not_valid_after_utc.timestamp() < now:
        raise ValidationException("The certificate has expired.")
    names = names_of(own)
    if not names:
        raise ValidationException("The certificate has no name.")
    sealer = ctx.need(Sealer)
    made = Certificate(
        id=old.id if old else new_uuid(ctx.clock),
        type=IMPORTED,
        domain=names[0],
        names=names,
        key_algorithm=key_algorithm(own),
        body=own.public_bytes(serialization.Encoding.PEM).decode(),
        chain=chain,
        sealed_key=sealer.seal(key, KEY_PURPOSE),
        created=old.created if old else now,
        not_before=own.not_valid_before_utc.timestamp(),
        not_after=own.not_valid_after_utc.timestamp(),
        tags=old.tags if old else read_tags(request.get("Tags") or (), {}),
        renewed=now,
    )
    return {"CertificateArn": await save_new(ctx, made)}


async def _need(ctx: Context, arn: str) -> Certificate:
    found = await ctx.transact(store.load, certificate_id(ctx, arn))
    if found is None:
        raise no_certificate(arn)
    return found


@operation("DescribeCertificate", resource=named_certificate)
async def describe_certificate(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Everything about a certificate but its text."""
    found = await _need(ctx, request["CertificateArn"])
    users = await users_of(ctx, request["CertificateArn"])
    return {"Certificate": detail(ctx, found, users)}


@operation("GetCertificate", resource=named_certificate)
async def get_certificate(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """A certificate and the chain above it."""
    found = await _need(ctx, request["CertificateArn"])
    answer = {"Certificate": found.body}
    if found.chain:
        answer["CertificateChain"] = found.chain
    return answer


@operation("ListCertificates", resource="*")
async def list_certificates(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """The account's certificates, a page at a time."""
    if request.get("CertificateKeyPairOrigins"):
        raise unserved("Listing certificates by the origin of their keys is")
    limit = request.get("MaxItems") or PAGE_DEFAULT
    found = [one for one in await ctx.transact(store.scan) if is_wanted(ctx, one, request)]
    if request.get("SortBy"):
        found.sort(key=lambda one: one.created, reverse=request.get("SortOrder") != "ASCENDING")
    start = _start(request.get("NextToken"))
    answer: dict[str, Any] = {
        "CertificateSummaryList": [summary(ctx, one) for one in found[start : start + limit]]
    }
    if len(found) > start + limit:
        answer["NextToken"] = make_token(start + limit)
    return answer


def _start(token: str | None) -> int:
    if not token:
        return 0
    try:
        return max(0, int(read_token(token)))
    except (ValueError, TypeError) as cause:
        raise ValidationException("The next token is not valid.") from cause


@operation("ExportCertificate", resource=named_certificate, resource_policy=for_services)
async def export_certificate(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """A certificate with its key, for the services that use it."""
    found = await _need(ctx, request["CertificateArn"])
    if ctx.caller.kind != "service":
        raise ValidationException(
            f"Certificate ARN: {request['CertificateArn']} is not a private certificate."
        )
    sealer = ctx.need(Sealer)
    plain = sealer.unseal(found.sealed_key, KEY_PURPOSE)
    key = serialization.load_pem_private_key(plain, None, unsafe_skip_rsa_key_validation=True)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(request["Passphrase"]),
    )
    return {
        "Certificate": found.body,
        "CertificateChain": found.chain,
        "PrivateKey": locked.decode(),
    }


@operation("DeleteCertificate", resource=named_certificate)
async def delete_certificate(ctx: Context, request: Mapping[str, Any]) -> None:
    """Remove a certificate that no service uses."""
    arn = request["CertificateArn"]
    found = await _need(ctx, arn)
    if await users_of(ctx, arn):
        raise ResourceInUseException(f"Certificate {arn} in account {ctx.scope.account} is in use.")
    await ctx.transact(store.drop, found.id)
