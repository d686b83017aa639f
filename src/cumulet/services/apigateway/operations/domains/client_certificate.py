"""Client certificates: by them HTTP backends know that a request comes from API Gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token
from cumulet.kit.ports import Sealer
from cumulet.kit.service import operation
from cumulet.kit.tls.authority import common_name, key_bytes
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.admission.domains import store
from cumulet.services.apigateway.admission.domains.clients import CLIENT_KEY_PURPOSE
from cumulet.services.apigateway.admission.domains.limits import (
    CLIENT_CERTIFICATE_DAYS,
    CLIENT_CERTIFICATES_MAX,
)
from cumulet.services.apigateway.admission.domains.model import ClientCertificate
from cumulet.services.apigateway.errors import (
    BadRequestException,
    LimitExceededException,
    NotFoundException,
)
from cumulet.services.apigateway.limits import APIS_MAX
from cumulet.services.apigateway.operations.rest_api import ORIGIN_TAG, page_of
from cumulet.services.apigateway.rules.names import at
from cumulet.services.apigateway.rules.patch import ALL, Rule, apply_patches, terse
from cumulet.services.apigateway.rules.settings import check_tags
from cumulet.services.apigateway.store import APIS, scan_stages

Request = Mapping[str, Any]

_ONE = at("/clientcertificates/{clientCertificateId}")
_KEY_BITS = 2_048


def _view(one: ClientCertificate) -> dict[str, Any]:
    view: dict[str, Any] = {
        "clientCertificateId": one.id,
        "pemEncodedCertificate": one.certificate,
        "createdDate": one.created_date,
        "expirationDate": one.expiration_date,
        "tags": one.tags or {},
    }
    if one.description is not None:
        view["description"] = one.description
    return view


@operation("GenerateClientCertificate", action="POST", resource=at("/clientcertificates"))
async def generate_client_certificate(ctx: Context, request: Request) -> dict[str, Any]:
    """Make a certificate with a key of its own, which never leaves the cloud."""
    tags = dict(request.get("tags") or {})
    # The step of a stack comes in a reserved tag, which only callers inside of the cloud can send.
    origin = tags.pop(ORIGIN_TAG, None) if ctx.request is None else None
    check_tags(tags)
    if origin and (known := await ctx.transact(_find_of, origin)) is not None:
        return _view(known)
    certificate_id = new_label(ctx.clock, 6)
    begin = datetime.fromtimestamp(int(ctx.clock.now()), UTC)
    end = begin + timedelta(days=CLIENT_CERTIFICATE_DAYS)
    certificate, key = await asyncio.to_thread(_self_signed, certificate_id, begin, end)
    made = ClientCertificate(
        id=certificate_id,
        certificate=certificate.decode(),
        sealed_key=ctx.need(Sealer).seal(key, CLIENT_KEY_PURPOSE),
        created_date=begin.timestamp(),
        expiration_date=end.timestamp(),
        description=request.get("description"),
        tags=tags or None,
        origin=origin,
    )

    async def create(tx: Transaction, scope: Scope) -> None:
        if not await store.has_room_for_client_certificate(tx, scope):
            raise LimitExceededException(
                f"Maximum number of client certificates ({CLIENT_CERTIFICATES_MAX}) for this "
                "account has been reached."
            )
        await store.CLIENT_CERTIFICATES.save(tx, scope, made)

    await ctx.transact(create)
    return _view(made)


def _self_signed(certificate_id: str, begin: datetime, end: datetime) -> tuple[bytes, bytes]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    name = common_name(f"ApiGateway {certificate_id}")
    certificate = (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM), key_bytes(key)


async def _find_of(tx: Transaction, scope: Scope, origin: str) -> ClientCertificate | None:
    found = await store.CLIENT_CERTIFICATES.scan(tx, scope, limit=CLIENT_CERTIFICATES_MAX)
    return next((one for one in found if one.origin == origin), None)


async def _need(tx: Transaction, scope: Scope, certificate_id: str) -> ClientCertificate:
    found = await store.CLIENT_CERTIFICATES.load(tx, scope, certificate_id)
    if found is None:
        raise NotFoundException("Invalid Client Certificate identifier specified")
    return found


@operation("GetClientCertificate", action="GET", resource=_ONE)
async def get_client_certificate(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe one client certificate."""
    return _view(await ctx.transact(_need, request["clientCertificateId"]))


@operation("GetClientCertificates", action="GET", resource=at("/clientcertificates"))
async def get_client_certificates(ctx: Context, request: Request) -> dict[str, Any]:
    """List the account's client certificates, a page at a time."""
    after, limit = page_of(request)

    async def scan(tx: Transaction, scope: Scope) -> list[ClientCertificate]:
        mark = (after,) if after else None
        return await store.CLIENT_CERTIFICATES.scan(tx, scope, limit=limit + 1, after=mark)

    found = await ctx.transact(scan)
    answer: dict[str, Any] = {"items": [_view(one) for one in found[:limit]]}
    if len(found) > limit:
        answer["position"] = make_token(found[limit - 1].id)
    return answer


@operation("UpdateClientCertificate", action="PATCH", resource=_ONE)
async def update_client_certificate(ctx: Context, request: Request) -> dict[str, Any]:
    """Change a client certificate's description."""

    async def update(tx: Transaction, scope: Scope) -> ClientCertificate:
        old = await _need(tx, scope, request["clientCertificateId"])
        document = apply_patches(
            {"description": old.description or ""},
            request.get("patchOperations"),
            (Rule("/description", ALL),),
            terse,
        )
        new = msgspec.structs.replace(old, description=document.get("description") or None)
        await store.CLIENT_CERTIFICATES.save(tx, scope, new)
        return new

    return _view(await ctx.transact(update))


@operation("DeleteClientCertificate", action="DELETE", resource=_ONE)
async def delete_client_certificate(ctx: Context, request: Request) -> None:
    """Remove a client certificate that no stage uses."""
    certificate_id = request["clientCertificateId"]

    async def delete(tx: Transaction, scope: Scope) -> None:
        await _need(tx, scope, certificate_id)
        for api in await APIS.scan(tx, scope, limit=APIS_MAX):
            for stage in await scan_stages(tx, scope, api.id):
                if stage.client_certificate_id == certificate_id:
                    raise BadRequestException(
                        f"Client Certificate {certificate_id} is used by stage "
                        f"{stage.stage_name} of API {api.id}."
                    )
        await store.CLIENT_CERTIFICATES.drop(tx, scope, certificate_id)

    await ctx.transact(delete)
