"""HTTP messages as plain values. Sockets are in `edge`; nothing here does I/O of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Protocol

from cumulet.core.errors import RequestTooLarge


class Headers:
    """Header fields in order, with names in lower case; a name may come more than once."""

    __slots__ = ("_sent", "first", "pairs")

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        given = list(pairs)
        self._sent: list[str] | None = [name for name, _ in given]
        self.pairs: list[tuple[str, str]] = [(name.lower(), value) for name, value in given]
        self.first: dict[str, str] = dict(reversed(self.pairs))
        """The first value of each name."""

    @classmethod
    def lowered(cls, pairs: list[tuple[str, str]], sent: list[str] | None = None) -> Headers:
        """Take pairs whose names are known to be in lower case, without a copy.

        `sent` are the same names as the sender spelt them, in the same order; what follows a colon
        in them does not count, so that whole lines will do.
        """
        headers = cls.__new__(cls)
        headers.pairs = pairs
        headers._sent = sent
        headers.first = dict(reversed(pairs))
        return headers

    def get(self, name: str, default: str = "") -> str:
        """The first value of `name` (in lower case), or `default`."""
        return self.first.get(name, default)

    def all(self, name: str) -> list[str]:
        """Every value of `name` (in lower case), in order."""
        return [value for key, value in self.pairs if key == name]

    @property
    def repeats(self) -> bool:
        """Whether some name comes more than once."""
        return len(self.first) != len(self.pairs)

    def spelt(self) -> list[tuple[str, str]]:
        """The pairs with their names as the sender spelt them, which API Gateway passes on.

        Where the spelling is not known, each part of a name begins with a capital.
        """
        if self._sent is None:
            return [("-".join(map(str.capitalize, name.split("-"))), v) for name, v in self.pairs]
        names = (line.partition(":")[0] for line in self._sent)
        return [(name, pair[1]) for name, pair in zip(names, self.pairs, strict=True)]

    def __contains__(self, name: object) -> bool:
        return name in self.first

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)


class Body(Protocol):
    """A message body that may still be arriving. It can be consumed once, by either way."""

    @property
    def size_bytes(self) -> int | None:
        """The declared length, or None when it is chunked."""
        ...

    async def read(self, limit_bytes: int) -> bytes:
        """The whole body. Raises RequestTooLarge beyond `limit_bytes`."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The body in pieces as they arrive."""
        ...


class BytesBody:
    """A body that is already here."""

    __slots__ = ("content",)

    def __init__(self, content: bytes = b"") -> None:
        self.content = content

    @property
    def size_bytes(self) -> int | None:
        """The length of the content."""
        return len(self.content)

    async def read(self, limit_bytes: int) -> bytes:
        """The content, unless it is longer than the limit."""
        if len(self.content) > limit_bytes:
            raise RequestTooLarge("Request size exceeded the limit.")
        return self.content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self.content:
            yield self.content


class Client:
    """Who waits for an answer, for work that is in vain without them. Of one connection."""

    __slots__ = ("_told",)

    def __init__(self) -> None:
        self._told: list[Callable[[], object]] = []

    @property
    def is_watched(self) -> bool:
        """Whether somebody's work ends when this client goes."""
        return bool(self._told)

    def on_departure(self, told: Callable[[], object]) -> Callable[[], None]:
        """Call `told` when the client goes; the answer ends it. Most work is to be finished."""
        self._told.append(told)

        def end() -> None:
            if told in self._told:
                self._told.remove(told)

        return end

    def depart(self) -> None:
        """The client has gone."""
        told, self._told = self._told, []
        for one in told:
            one()


class Request:
    """One HTTP request. `path` and `query` are as sent: percent-encoded, not normalised."""

    __slots__ = (
        "body",
        "client",
        "client_certificate",
        "headers",
        "method",
        "path",
        "peer",
        "query",
        "scheme",
        "tls_domain",
    )

    def __init__(
        self,
        method: str,
        path: str,
        query: str = "",
        headers: Headers | None = None,
        body: Body | None = None,
        *,
        scheme: str = "http",
        peer: str = "127.0.0.1",
        client_certificate: bytes | None = None,
        tls_domain: str = "",
        client: Client | None = None,
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers if headers is not None else Headers()
        self.body: Body = body if body is not None else BytesBody()
        self.scheme = scheme
        self.peer = peer
        self.client_certificate = client_certificate
        """The client's certificate in DER form, when it gave one over mutual TLS."""
        self.tls_domain = tls_domain
        """The custom domain by whose settings the TLS connection was made; else empty."""
        self.client = client

    @property
    def host(self) -> str:
        """The Host header: name and, when given, port."""
        return self.headers.first.get("host", "")


class Response:
    """One HTTP response. A body that is an iterator is sent in pieces as it comes.

    The iterator is closed (`aclose`) when the client goes away before its end.
    """

    __slots__ = ("body", "headers", "status")

    def __init__(
        self,
        status: int = 200,
        headers: list[tuple[str, str]] | None = None,
        body: bytes | AsyncIterator[bytes] = b"",
    ) -> None:
        self.status = status
        self.headers = headers if headers is not None else []
        self.body = body
