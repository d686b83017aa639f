"""An SMTP server for tests: it keeps what it takes, and misbehaves when it is told to."""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

SECONDS_MAX = 30


class MailServer(socketserver.ThreadingTCPServer):
    """`refusals` are answered to the next messages instead of taking them."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(
        self,
        context: ssl.SSLContext | None = None,
        *,
        at_once: bool = False,
        user: str = "",
        password: str = "",
        port: int = 0,
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.context = context
        self.at_once = at_once
        self.user, self.password = user, password
        self.refusals: list[str] = []
        self.taken: list[tuple[str, list[str], EmailMessage]] = []
        self.refused = 0
        self.secured = 0
        self.changed = threading.Condition()
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def wait(self, count: int, refused: int = 0) -> None:
        """Until so many were taken and refused."""
        with self.changed:
            found = self.changed.wait_for(
                lambda: len(self.taken) >= count and self.refused >= refused, SECONDS_MAX
            )
        assert found, f"{len(self.taken)} taken, {self.refused} refused"

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join(SECONDS_MAX)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error."""


class _Handler(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        if self.server.at_once:
            self._secure()
        self.signed_in = not self.server.user
        self.sender, self.to = "", list[str]()
        self._say("220 test ESMTP")
        while line := self.rfile.readline().decode().strip():
            if not self._answer(line):
                return

    def finish(self) -> None:
        super().finish()
        self.request.close()

    def _secure(self) -> None:
        assert self.server.context is not None
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        self.rfile = self.request.makefile("rb")
        self.wfile = self.request.makefile("wb", 0)
        self.server.secured += 1

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")

    def _answer(self, line: str) -> bool:
        word, _, rest = line.partition(" ")
        if word == "EHLO":
            offers = ["test", "PIPELINING"]
            if self.server.context is not None and not self._is_secure():
                offers.append("STARTTLS")
            elif self.server.user:
                offers.append("AUTH LOGIN PLAIN")
            for one in offers[:-1]:
                self._say(f"250-{one}")
            self._say(f"250 {offers[-1]}")
        elif word == "STARTTLS":
            self._say("220 go on")
            self._secure()
        elif word == "AUTH":
            plain = base64.b64decode(rest.split()[1]).decode().split("\0")
            self.signed_in = plain == ["", self.server.user, self.server.password]
            self._say("235 welcome" if self.signed_in else "535 who?")
        elif word == "MAIL":
            self.sender = rest.partition("<")[2].partition(">")[0]
            self._say("250 ok" if self.signed_in else "530 sign in first")
        elif word == "RCPT":
            self.to.append(rest.partition("<")[2].partition(">")[0])
            self._say("250 ok")
        elif word == "DATA":
            self._say("354 go on")
            self._take()
        else:
            self._say("221 bye")
            return False
        return True

    def _is_secure(self) -> bool:
        return isinstance(self.request, ssl.SSLSocket)

    def _take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return
            lines.append(line[1:] if line.startswith(b".") else line)
        server = self.server
        with server.changed:
            if server.refusals:
                self._say(server.refusals.pop(0))
                server.refused += 1
            else:
                message = message_from_bytes(b"".join(lines), policy=policy.default)
                assert isinstance(message, EmailMessage)
                server.taken.append((self.sender, self.to, message))
                self._say("250 taken")
            server.changed.notify_all()
