"""What is kept of custom domains: names, mappings, TLS material, and what requests are led by."""

from __future__ import annotations

import msgspec


class MutualTls(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a domain's trust store came from. Its certificates are in `TlsMaterial`."""

    truststore_uri: str
    truststore_version: str | None = None
    warnings: tuple[str, ...] = ()


class DomainName(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One custom domain, the same for v1 and v2.

    `label` makes the regional host name. `revision` changes with whatever TLS depends on.
    Dates are in epoch seconds. A domain without `certificate_arn` has imported material.
    """

    name: str
    label: str
    endpoint_type: str
    ip_address_type: str
    security_policy: str
    revision: str
    certificate_uploaded: float
    certificate_arn: str | None = None
    certificate_name: str | None = None
    ownership_arn: str | None = None
    mutual_tls: MutualTls | None = None
    tags: dict[str, str] | None = None


class TlsMaterial(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a domain's TLS needs beyond its record: imported certificates, and the trust store.

    `chain` is PEM, the server's own certificate first; `sealed_key` its key. `trusted` are the
    certificates of the trust store in DER form.
    """

    name: str
    chain: bytes = b""
    sealed_key: bytes = b""
    trusted: tuple[bytes, ...] = ()


class ApiMapping(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A base path of a domain and the API behind it.

    `key` has neither leading nor trailing slash; empty for the whole domain. Without a `stage`,
    the first segment behind the key names it (v1 only). `protocol` is REST, HTTP or WEBSOCKET.
    """

    domain: str
    key: str
    id: str
    api_id: str
    protocol: str
    stage: str | None = None


class DomainRoute(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A domain as requests need it, found by its name alone. Follows from the other records."""

    name: str
    account: str
    region: str
    revision: str
    mutual_tls: bool = False
    mappings: tuple[ApiMapping, ...] = ()


class ClientCertificate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A certificate by which API Gateway proves itself to HTTP backends.

    Dates are in epoch seconds.
    """

    id: str
    certificate: str
    sealed_key: bytes
    created_date: float
    expiration_date: float
    description: str | None = None
    tags: dict[str, str] | None = None
    origin: str | None = None
    """What made it, for a creation that is run again; never shown."""
