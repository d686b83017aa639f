"""Addresses of mail servers, and conversations with such as cannot be trusted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.services.cognito.messages.mail_server import MailServer as Server

from cumulet.services.cognito.flow.outgoing.letters import written
from cumulet.services.cognito.flow.outgoing.server import MailServer, parse_mail_server
from cumulet.services.cognito.flow.outgoing.smtp import NotTaken, send
from cumulet.services.cognito.model import Mail

MESSAGE = b"Subject: x\r\n\r\nHello\r\n"


@pytest.mark.parametrize(
    ("text", "port", "security"),
    [
        ("smtp://mail.example.com", 587, "starttls"),
        ("smtp://mail.example.com:25", 25, "starttls"),
        ("smtps://mail.example.com", 465, "tls"),
        ("smtp://127.0.0.1:1025", 1025, "none"),
        ("smtp://localhost:1025", 1025, "none"),
        ("smtp://localhost:1025?ca=/x.pem", 1025, "starttls"),
        ("smtp://mail.internal:1025?tls=none", 1025, "none"),
    ],
)
def test_what_is_elsewhere_is_secured(text: str, port: int, security: str) -> None:
    found = parse_mail_server(text)
    assert (found.port, found.security) == (port, security)


@pytest.mark.parametrize(
    "text",
    [
        *("mail.example.com:25", "http://mail.example.com", "smtp://", "smtp://host/path"),
        *("smtp://user@host", "smtp://host?tls=maybe", "smtps://host?tls=none"),
        *("smtp://host?colour=red", "smtp://host?from=nobody", "smtp://host:port"),
    ],
)
def test_mistakes_are_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"is written|has no setting|tls=none|needs|from is"):
        parse_mail_server(text)


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(parse_mail_server("smtp://ann:secret@host"))


@contextmanager
def running() -> Iterator[Server]:
    server = Server()
    try:
        yield server
    finally:
        server.close()


def refusal(server: MailServer, to: str = "ann@example.com") -> NotTaken:
    with pytest.raises(NotTaken) as caught:
        asyncio.run(send(server, "shop@example.com", to, MESSAGE))
    return caught.value


def test_nothing_is_told_to_a_server_without_starttls() -> None:
    with running() as server:
        found = refusal(MailServer("127.0.0.1", server.port, "starttls", "ann", "secret"))
        assert found.passes
        assert server.taken == []


def test_an_address_cannot_say_more_than_an_address() -> None:
    with running() as server:
        here = MailServer("127.0.0.1", server.port, "none")
        for to in ("a@b>\r\nRCPT TO:<c@d", "a@b> <c@d>"):
            assert not refusal(here, to).passes
        assert server.taken == []


def test_a_server_that_is_not_there_may_come_back() -> None:
    with running() as server:
        port = server.port
    assert refusal(MailServer("127.0.0.1", port, "none")).passes


def test_lines_of_the_message_stay_within_it() -> None:
    mail = Mail(
        id="1",
        sent_at=0.0,
        medium="EMAIL",
        to="ann@example.com",
        sender="",
        subject="Hello\r\nBcc: eve@example.com",
        body=".\r\nRSET\r\n.",
        pool="p",
        user="ann",
    )
    with running() as server:
        here = MailServer("127.0.0.1", server.port, "none")
        message = written(mail, "Shop <shop@example.com>")
        asyncio.run(send(here, "shop@example.com", "ann@example.com", message))
        [(_, to, found)] = server.taken
    assert to == ["ann@example.com"]
    assert found["Bcc"] is None
    assert found.get_content().splitlines() == [".", "RSET", "."]
