"""One message to an SMTP server, after RFC 5321, 3207 and 4954; bounded in time and in size."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from contextlib import suppress

from cumulet.services.cognito.flow.outgoing.server import MailServer
from cumulet.services.cognito.limits import SMTP_ANSWER_LINES_MAX, SMTP_SECONDS_MAX

_LINE_BYTES_MAX = 4_096
_NAME = "cumulet.localdomain"


class NotTaken(Exception):
    """The server did not take the message. `passes` says whether it may another time."""

    def __init__(self, reason: str, *, passes: bool) -> None:
        super().__init__(reason)
        self.passes = passes


async def send(server: MailServer, sender: str, to: str, message: bytes) -> None:
    """Hand one message over; the server has it when this returns. Raises NotTaken."""
    try:
        async with asyncio.timeout(SMTP_SECONDS_MAX):
            await _Talk(server).carry(sender, to, message)
    except NotTaken:
        raise
    except TimeoutError as cause:
        raise NotTaken("the server did not answer in time", passes=True) from cause
    except (OSError, EOFError, ValueError) as cause:
        raise NotTaken(f"the server cannot be talked to: {cause}", passes=True) from cause


class _Talk:
    """One connection."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._offers: set[str] = set()
        self._ways: tuple[str, ...] = ()

    async def carry(self, sender: str, to: str, message: bytes) -> None:
        server = self._server
        secured = server.context() if server.security == "tls" else None
        self._in, self._out = await asyncio.open_connection(
            server.host, server.port, ssl=secured, limit=_LINE_BYTES_MAX
        )
        try:
            await self._answer(220)
            await self._greet()
            if server.security == "starttls":
                await self._secure()
            if server.user:
                await self._sign_in()
            wide = not (sender.isascii() and to.isascii())
            if wide and "SMTPUTF8" not in self._offers:
                raise NotTaken("the server takes no addresses beyond ASCII", passes=False)
            await self._say(f"MAIL FROM:<{sender}>{' SMTPUTF8' if wide else ''}", 250)
            await self._say(f"RCPT TO:<{to}>", 250, 251)
            await self._say("DATA", 354)
            self._out.write(_stuffed(message))
            await self._out.drain()
            await self._answer(250)
            with suppress(OSError):
                self._out.write(b"QUIT\r\n")
        finally:
            self._out.close()
            with suppress(OSError):
                await self._out.wait_closed()

    async def _greet(self) -> None:
        lines = await self._say(f"EHLO {_NAME}", 250)
        self._offers = {line.split(" ")[0].upper() for line in lines[1:]}
        ways = [line for line in lines[1:] if line.upper().startswith("AUTH ")]
        self._ways = tuple(ways[0].upper().split(" ")[1:]) if ways else ()

    async def _secure(self) -> None:
        """STARTTLS, without which nothing is told."""
        if "STARTTLS" not in self._offers:
            raise NotTaken("the server has no STARTTLS", passes=True)
        await self._say("STARTTLS", 220)
        await self._out.start_tls(self._server.context(), server_hostname=self._server.host)
        # What was said before is not to be believed (RFC 3207, 4.2).
        await self._greet()

    async def _sign_in(self) -> None:
        user, password = self._server.user.encode(), self._server.password.encode()
        if "PLAIN" in self._ways:
            both = _shown(b"\0".join((b"", user, password)))
            await self._say(f"AUTH PLAIN {both}", 235)
        elif "LOGIN" in self._ways:
            await self._say("AUTH LOGIN", 334)
            await self._say(_shown(user), 334)
            await self._say(_shown(password), 235)
        else:
            raise NotTaken("the server has no way to sign in that is known here", passes=True)

    async def _say(self, line: str, *wanted: int) -> Sequence[str]:
        if "\r" in line or "\n" in line or ">" in line.partition("<")[2].partition(">")[2]:
            raise NotTaken("an address is none", passes=False)
        self._out.write(f"{line}\r\n".encode())
        await self._out.drain()
        return await self._answer(*wanted)

    async def _answer(self, *wanted: int) -> Sequence[str]:
        """The lines of an answer. Raises NotTaken unless its code is one of those wanted."""
        lines: list[str] = []
        while len(lines) < SMTP_ANSWER_LINES_MAX:
            raw = await self._in.readline()
            if not raw.endswith(b"\n"):
                raise EOFError("it hung up")
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            lines.append(line[4:])
            if line[3:4] != "-":
                break
        code = int(line[:3])
        if code not in wanted:
            # Sign-ins that fail are mended by people, not by giving up on the message.
            passes = code < 500 or code in (530, 534, 535, 538)
            raise NotTaken(f"{code} {' '.join(lines)}"[:400], passes=passes)
        return lines


def _shown(secret: bytes) -> str:
    return base64.b64encode(secret).decode()


def _stuffed(message: bytes) -> bytes:
    """A message as DATA takes it: lines that begin with a dot get another."""
    lines = message.replace(b"\r\n", b"\n").split(b"\n")
    if not lines[-1]:
        lines.pop()
    return b"".join((b"." if x.startswith(b".") else b"") + x + b"\r\n" for x in lines) + b".\r\n"
