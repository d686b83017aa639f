"""Host names that users gave to a front: who answers for them, and by which certificates."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from cumulet.core.context import Platform
from cumulet.core.http import Request
from cumulet.kit.surface import Surface


@dataclass(frozen=True, slots=True)
class OwnNames:
    """The names of the server itself, in lower case: no user may have them for a domain."""

    names: frozenset[str]


def zone_of(endpoint: str) -> str:
    """Below which name, with its port, things of users have names of their own.

    It is the endpoint's, or `localhost` where that is an address, which has no names below it.
    """
    parts = urlsplit(endpoint)
    host = parts.hostname or "localhost"
    try:
        ip_address(host)
        host = "localhost"
    except ValueError:
        pass
    return f"{host}:{parts.port}" if parts.port else host


@dataclass(frozen=True, slots=True)
class PublicUrl:
    """The address under which functions sign for browsers elsewhere; "" for the inner one."""

    of_objects: str


class HostName(NamedTuple):
    """A name that a user gave: `*.example.com` for all those below.

    `revision` changes with everything that its TLS depends on.
    """

    name: str
    revision: str


@dataclass(frozen=True, slots=True)
class HostTls:
    """How a host name is served over TLS.

    `chain` is PEM, the server's own certificate first; `key` is its private key in PEM.
    `client_authorities` are certificates in DER form: when there are any, a client must show a
    certificate that they vouch for.
    """

    chain: bytes
    key: bytes
    client_authorities: tuple[bytes, ...] = ()


class Hosts(Protocol):
    """Host names of users and their TLS (by apigateway)."""

    async def named(self, name: str) -> HostName | None:
        """The entry that covers this server name, or None. From memory."""
        ...

    async def tls(self, name: HostName) -> HostTls | None:
        """Its TLS as it is now; None when the name is gone."""
        ...


class HostSurface(Surface, Protocol):
    """A front that also answers for host names of users. These go before all paths."""

    async def claims(self, platform: Platform, request: Request) -> bool:
        """Whether the request's host is one of a user's that this front answers for. Cheap."""
        ...
