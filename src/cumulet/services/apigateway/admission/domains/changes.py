"""Custom domains made and changed: the part that v1 and v2 have in common."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.ports import Sealer
from cumulet.kit.tls.hosts import OwnNames
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.admission.domains import store
from cumulet.services.apigateway.admission.domains.certificates import (
    KEY_PURPOSE,
    check_arn,
    parse_pair,
)
from cumulet.services.apigateway.admission.domains.limits import DOMAINS_MAX
from cumulet.services.apigateway.admission.domains.model import (
    DomainName,
    MutualTls,
    TlsMaterial,
)
from cumulet.services.apigateway.admission.domains.rules import (
    check_endpoint_type,
    check_ip_address_type,
    check_name,
    check_protocols,
    check_security_policy,
)
from cumulet.services.apigateway.admission.domains.truststore import read_truststore
from cumulet.services.apigateway.errors import (
    BadRequestException,
    ConflictException,
    LimitExceededException,
    NotFoundException,
)
from cumulet.services.apigateway.rules.settings import check_tags


@dataclass(frozen=True, slots=True)
class Imported:
    """Certificate material that comes with a request; all PEM."""

    body: str
    key: str
    chain: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a domain shall be. Empty texts are settings that it shall not have."""

    endpoint_type: str
    ip_address_type: str
    security_policy: str
    certificate_arn: str
    certificate_name: str
    ownership_arn: str
    truststore_uri: str
    truststore_version: str

    @staticmethod
    def of(domain: DomainName) -> Wish:
        """The wish that a domain fulfils."""
        mutual = domain.mutual_tls
        return Wish(
            domain.endpoint_type,
            domain.ip_address_type,
            domain.security_policy,
            domain.certificate_arn or "",
            domain.certificate_name or "",
            domain.ownership_arn or "",
            mutual.truststore_uri if mutual else "",
            (mutual.truststore_version or "") if mutual else "",
        )


async def make_domain(
    ctx: Context,
    name: str,
    wish: Wish,
    tags: dict[str, str] | None,
    imported: Imported | None = None,
) -> DomainName:
    """Make a domain. Raises the errors of CreateDomainName."""
    name = name.lower()
    check_name(name, ctx.need(OwnNames))
    check_tags(tags)
    _check(wish)
    material = TlsMaterial(name=name)
    if imported is not None:
        material = _with_pair(ctx, material, imported)
    else:
        await _check_certificates(ctx, name, wish)
    trusted, mutual = await _mutual_tls(ctx, wish)
    domain = DomainName(
        name=name,
        label=new_label(ctx.clock, 10),
        endpoint_type=wish.endpoint_type,
        ip_address_type=wish.ip_address_type,
        security_policy=wish.security_policy,
        revision=new_label(ctx.clock, 10),
        certificate_uploaded=int(ctx.clock.now()),
        certificate_arn=wish.certificate_arn or None,
        certificate_name=wish.certificate_name or None,
        ownership_arn=wish.ownership_arn or None,
        mutual_tls=mutual,
        tags=tags or None,
    )
    await ctx.transact(_insert, domain, msgspec.structs.replace(material, trusted=trusted))
    return domain


async def _insert(tx: Transaction, scope: Scope, domain: DomainName, material: TlsMaterial) -> None:
    if await store.is_taken(tx, scope, domain.name):
        raise BadRequestException("The domain name you provided already exists.")
    if not await store.has_room(tx, scope):
        raise LimitExceededException(
            f"Maximum number of domain names ({DOMAINS_MAX}) for this account has been reached."
        )
    await store.save_domain(tx, scope, domain, material)


async def change_domain(
    ctx: Context, old: DomainName, wish: Wish, *, reread: bool = False
) -> DomainName:
    """Make a domain what the wish says; `reread` reads its trust store again in any case.

    Raises the errors of UpdateDomainName.
    """
    _check(wish)
    before = Wish.of(old)
    certificates = ("certificate_arn", "ownership_arn", "endpoint_type")
    if any(getattr(wish, one) != getattr(before, one) for one in certificates):
        await _check_certificates(ctx, old.name, wish)
    trusted, mutual = None, old.mutual_tls
    if reread or _trust(wish) != _trust(before):
        trusted, mutual = await _mutual_tls(ctx, wish)
    anew = wish.certificate_arn != before.certificate_arn
    domain = msgspec.structs.replace(
        old,
        endpoint_type=wish.endpoint_type,
        ip_address_type=wish.ip_address_type,
        security_policy=wish.security_policy,
        revision=new_label(ctx.clock, 10),
        certificate_uploaded=int(ctx.clock.now()) if anew else old.certificate_uploaded,
        certificate_arn=wish.certificate_arn or None,
        certificate_name=wish.certificate_name or None,
        ownership_arn=wish.ownership_arn or None,
        mutual_tls=mutual,
    )
    await ctx.transact(_replace, old.revision, domain, trusted, anew)
    return domain


async def _replace(
    tx: Transaction,
    scope: Scope,
    revision: str,
    domain: DomainName,
    trusted: tuple[bytes, ...] | None,
    by_arn: bool,
) -> None:
    now = await store.load_domain(tx, scope, domain.name)
    if now is None:
        raise no_domain()
    if now.revision != revision:
        raise ConflictException("Unable to complete operation due to concurrent modification.")
    check_protocols(domain, await store.scan_mappings(tx, scope, domain.name))
    material = await store.load_material(tx, scope, domain.name)
    if by_arn:
        material = msgspec.structs.replace(material, chain=b"", sealed_key=b"")
    if trusted is not None:
        material = msgspec.structs.replace(material, trusted=trusted)
    await store.save_domain(tx, scope, domain, material)


def no_domain() -> NotFoundException:
    """The account has no such domain."""
    return NotFoundException("Invalid domain name identifier specified")


async def need_domain(tx: Transaction, scope: Scope, name: str) -> DomainName:
    """The domain. Raises NotFoundException."""
    domain = await store.load_domain(tx, scope, name.lower())
    if domain is None:
        raise no_domain()
    return domain


def _check(wish: Wish) -> None:
    check_endpoint_type(wish.endpoint_type)
    check_ip_address_type(wish.ip_address_type)
    check_security_policy(wish.security_policy)
    if wish.truststore_version and not wish.truststore_uri:
        raise BadRequestException("The truststore version needs a truststore URI.")
    if wish.truststore_uri and wish.endpoint_type != "REGIONAL":
        raise BadRequestException(
            "Mutual TLS is only supported for domain names with endpoint type REGIONAL."
        )


async def _check_certificates(ctx: Context, name: str, wish: Wish) -> None:
    if not wish.certificate_arn:
        raise BadRequestException("A certificate was not provided.")
    await check_arn(ctx, wish.certificate_arn, name, wish.endpoint_type)
    if wish.ownership_arn:
        await check_arn(ctx, wish.ownership_arn, name, wish.endpoint_type)


def _trust(wish: Wish) -> tuple[str, str]:
    return wish.truststore_uri, wish.truststore_version


async def _mutual_tls(ctx: Context, wish: Wish) -> tuple[tuple[bytes, ...], MutualTls | None]:
    if not wish.truststore_uri:
        return (), None
    trusted, words = await read_truststore(
        ctx, wish.truststore_uri, wish.truststore_version or None
    )
    return trusted, MutualTls(
        truststore_uri=wish.truststore_uri,
        truststore_version=wish.truststore_version or None,
        warnings=words,
    )


def _with_pair(ctx: Context, material: TlsMaterial, given: Imported) -> TlsMaterial:
    pair = parse_pair(given.body, given.key, given.chain, material.name, ctx.clock.now())
    sealer = ctx.need(Sealer)
    return msgspec.structs.replace(
        material, chain=pair.chain, sealed_key=sealer.seal(pair.key, KEY_PURPOSE)
    )
