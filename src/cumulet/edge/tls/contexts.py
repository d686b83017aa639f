"""TLS contexts: one for the server's own names, and one for each custom domain.

The server's certificate is signed by the installation's authority (`kit/tls/authority.py`) and
kept in the data folder; those of custom domains come from whoever answers for them.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cumulet.core.clock import Clock, SystemClock
from cumulet.kit.tls.authority import Authority, alternatives, load_pair, write_private
from cumulet.kit.tls.hosts import HostName, Hosts, HostTls

LOCAL_NAMES = (
    "localhost",
    "*.localhost",
    "console.localhost",
    "*.s3.localhost",
    "*.execute-api.localhost",
    "127.0.0.1",
    "::1",
)
"""What the server may be called. OpenSSL's clients take no wildcard right under `localhost`: for
them a name there has to be given in full."""

SERVER_DAYS = 365
RENEW_DAYS = 30
"""A server certificate that ends sooner than this is made anew at start."""

CONTEXTS_MAX = 1_000
CONTEXT_SECONDS_MAX = 60.0
"""For how long a domain's certificate may be served after it was replaced."""

_SERVER, _SERVER_KEY = "server.pem", "server-key.pem"


class DomainContext(ssl.SSLContext):
    """The context of one custom domain; `tls_domain` is its name."""

    tls_domain: str = ""


def server_context(
    folder: Path,
    names: Iterable[str] = (),
    *,
    client_authority: Path | None = None,
    clock: Clock | None = None,
) -> ssl.SSLContext:
    """A context for `Server.listen`; certificates are made in `folder` when they are missing.

    `names` are further host names and addresses of the server. With `client_authority`, a PEM file,
    clients may show a certificate, which must come from it; `Request.client_certificate` then
    holds it.
    """
    wanted = (*LOCAL_NAMES, *names)
    now = datetime.fromtimestamp((clock or SystemClock()).now(), UTC)
    authority = Authority(folder, clock)
    if not _server_is_good(folder, authority.certificate(), wanted, now):
        issued = authority.issue(wanted, SERVER_DAYS)
        (folder / _SERVER).unlink(missing_ok=True)
        write_private(folder / _SERVER_KEY, issued.key)
        write_private(folder / _SERVER, issued.certificate)
    context = _prepared(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    context.load_cert_chain(folder / _SERVER, folder / _SERVER_KEY)
    if client_authority is not None:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(client_authority)
    return context


def authority_file(folder: Path) -> Path:
    """Where the authority's certificate is, for clients to trust."""
    return Authority(folder).file


def domain_context(name: str, tls: HostTls) -> DomainContext:
    """The context of a custom domain. Raises ssl.SSLError or ValueError for unusable material."""
    context = DomainContext(ssl.PROTOCOL_TLS_SERVER)
    _prepared(context)
    context.tls_domain = name
    load_pair(context, tls.chain, tls.key)
    if tls.client_authorities:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=b"".join(tls.client_authorities))
    return context


class Contexts:
    """The context for each server name that clients ask for."""

    def __init__(self, own: ssl.SSLContext, hosts: Hosts, clock: Clock) -> None:
        self._own = own
        self._hosts = hosts
        self._clock = clock
        self._made: dict[str, tuple[str, float, DomainContext]] = {}

    async def of(self, server_name: str) -> ssl.SSLContext:
        """The context for a name, the server's own one for every name that is no custom domain.

        Raises ssl.SSLError, ValueError or AwsError when the domain has no usable certificate.
        """
        host = await self._hosts.named(server_name) if server_name else None
        if host is None:
            return self._own
        now = self._clock.now()
        kept = self._made.pop(host.name, None)
        if kept is None or kept[0] != host.revision or kept[1] < now:
            made = await self._make(host)
            if made is None:
                return self._own
            kept = (host.revision, now + CONTEXT_SECONDS_MAX, made)
        self._made[host.name] = kept
        if len(self._made) > CONTEXTS_MAX:
            del self._made[next(iter(self._made))]
        return kept[2]

    async def _make(self, host: HostName) -> DomainContext | None:
        tls = await self._hosts.tls(host)
        return None if tls is None else await asyncio.to_thread(domain_context, host.name, tls)


def _prepared(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _server_is_good(
    folder: Path, authority_pem: bytes, names: tuple[str, ...], now: datetime
) -> bool:
    """Whether the kept certificate is of this authority, has every name, and lasts a while."""
    from cryptography import x509

    path = folder / _SERVER
    if not path.exists() or not (folder / _SERVER_KEY).exists():
        return False
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    authority = x509.load_pem_x509_certificate(authority_pem)
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    try:
        certificate.verify_directly_issued_by(authority)
    except Exception:
        return False
    return (
        certificate.not_valid_before_utc <= now
        and certificate.not_valid_after_utc - now > timedelta(days=RENEW_DAYS)
        and set(alternatives(names)) <= set(extension.value)
    )
