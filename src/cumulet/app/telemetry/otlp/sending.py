"""Bringing one batch to its receiver over HTTP: compression, retries with back-off, refusals.

https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

import asyncio
import gzip
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import orjson

from cumulet import __version__
from cumulet.app.telemetry.limits import (
    ANSWER_WORDS_MAX,
    ATTEMPTS_MAX,
    BACK_OFF_SECONDS_MAX,
    BACK_OFF_SECONDS_MIN,
)
from cumulet.app.telemetry.otlp.answers import RETRIED, parse_partial, retry_after
from cumulet.app.telemetry.otlp.messages import Kind, Message, to_json, to_protobuf
from cumulet.app.telemetry.reports import Reports
from cumulet.app.telemetry.settings import Receiver
from cumulet.core.clock import Clock
from cumulet.services.apigateway.pipeline.integrations.outbound import (
    OutboundError,
    Target,
    exchange,
)

_SAFE = "/%:=&?~#+!$,;'@()*[]-._"


class _Again(NamedTuple):
    """A batch that may be taken later: why, and after how many seconds the receiver said."""

    why: str
    seconds: float | None


class Sender:
    """Sends batches of one signal, one after the other. `what` is their name in the log.

    Raises OSError or ValueError when made with certificates that cannot be read.
    """

    def __init__(self, receiver: Receiver, what: str, clock: Clock, reports: Reports) -> None:
        self._receiver = receiver
        self._what = what
        self._clock = clock
        self._reports = reports
        self._target = _target(receiver.url)
        self._tls = receiver.context()
        self._is_json = receiver.protocol == "http/json"
        self._headers = _headers(receiver, self._target)

    def prepare(self, kind: Kind, message: Message) -> Any:
        """A part of a message, written ahead of the whole: for `write` to take as it is."""
        content = self.write(kind, message)
        return orjson.Fragment(content) if self._is_json else content

    def write(self, kind: Kind, message: Message) -> bytes:
        """A message in the receiver's encoding, not compressed yet."""
        return to_json(kind, message) if self._is_json else to_protobuf(kind, message)

    async def send(self, body: bytes, count: int) -> None:
        """Bring a batch of `count` things there, or drop it and count them. Raises nothing.

        Only a cancellation ends it before: the batch is then as if it was never sent.
        """
        if self._receiver.compresses:
            body = await asyncio.to_thread(gzip.compress, body, 6)
        attempt = 0
        while (again := await self._attempt(body, count)) is not None:
            attempt += 1
            if attempt >= ATTEMPTS_MAX:
                self._reports.drop(self._what, count, again.why)
                return
            self._reports.warn(f"{self._what} wait for their receiver", why=again.why)
            await self._clock.sleep(self._pause(attempt, again.seconds))

    def _pause(self, attempt: int, asked: float | None) -> float:
        """Longer each time, and not the same for all who wait for one receiver."""
        if asked is not None:
            return asked
        whole = min(BACK_OFF_SECONDS_MIN * 2.0 ** (attempt - 1), BACK_OFF_SECONDS_MAX)
        return whole * (0.5 + self._clock.random_bytes(1)[0] / 510)

    async def _attempt(self, body: bytes, count: int) -> _Again | None:
        try:
            async with asyncio.timeout(self._receiver.timeout_seconds):
                answer = await exchange(self._target, "POST", list(self._headers), body, self._tls)
        except TimeoutError:
            return _Again(f"no answer within {self._receiver.timeout_seconds:g} seconds", None)
        except (OutboundError, OSError) as cause:
            return _Again(str(cause), None)
        if 200 <= answer.status < 300:
            partial = parse_partial(answer.body, is_json=self._is_json)
            if partial.rejected > 0:
                self._reports.drop(self._what, partial.rejected, f"refused: {partial.words}")
            elif partial.words:
                self._reports.warn(f"the receiver of {self._what} warns", why=partial.words)
            return None
        words = f"{self._receiver.url} answered {answer.status}"
        if answer.status in RETRIED:
            named = {name.lower(): value for name, value in answer.headers}
            return _Again(words, retry_after(named.get("retry-after", ""), self._clock.now()))
        said = answer.body[:ANSWER_WORDS_MAX].decode("utf-8", "replace")
        printable = "".join(one if one.isprintable() else " " for one in said).strip()
        self._reports.drop(self._what, count, f"{words}: {printable}")
        return None


def _target(url: str) -> Target:
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    address = quote(parts.path or "/", safe=_SAFE)
    if parts.query:
        address += f"?{quote(parts.query, safe=_SAFE)}"
    port = parts.port or (443 if is_tls else 80)
    authority = parts.netloc.rpartition("@")[2]
    return Target(parts.hostname or "", port, authority, is_tls, address)


def _headers(receiver: Receiver, target: Target) -> tuple[tuple[str, str], ...]:
    """What comes with each batch. Headers of the settings go before ours."""
    ours = [
        ("Host", target.authority),
        ("Content-Type", _CONTENT_TYPES[receiver.protocol]),
        ("User-Agent", f"cumulet/{__version__}"),
    ]
    if receiver.compresses:
        ours.append(("Content-Encoding", "gzip"))
    given = {name.lower() for name, _ in receiver.headers}
    return (*receiver.headers, *(pair for pair in ours if pair[0].lower() not in given))


_CONTENT_TYPES = {"http/protobuf": "application/x-protobuf", "http/json": "application/json"}
