"""The SMTP server of the installation, as its owner names it in one address. Pure."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import parse_qsl, unquote, urlsplit

_PORTS = {"smtp": 587, "smtps": 465}
_KNOWN = {"from", "tls", "ca"}
FORM = "smtp://user:password@host:port (STARTTLS), or smtps:// (TLS from the first byte)"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where messages go. `security` is `tls`, `starttls` or `none`.

    `sender` is for pools that name none; `authority` a file with certificates to trust, or "".
    """

    host: str
    port: int
    security: str
    user: str = ""
    password: str = field(default="", repr=False)
    sender: str = ""
    authority: str = ""

    def context(self) -> ssl.SSLContext:
        """What its certificate is held against: certificate and name are always verified."""
        return ssl.create_default_context(cafile=self.authority or None)


@dataclass(frozen=True, slots=True)
class MailRoute:
    """The way out for messages; `server` is None when they stay in the mailbox."""

    server: MailServer | None = None


def parse_mail_server(text: str) -> MailServer:
    """An address as a server. Raises ValueError with a sentence for people.

    Without TLS is only who is on this machine, or of whom the address says `?tls=none`.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
        query = dict(
            parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        )
    except ValueError as cause:
        raise ValueError(f"an SMTP server is written {FORM}") from cause
    if parts.scheme not in _PORTS or not host or parts.path not in ("", "/"):
        raise ValueError(f"an SMTP server is written {FORM}")
    if unknown := set(query) - _KNOWN:
        raise ValueError(f"an SMTP server has no setting {min(unknown)}; it has from, tls and ca")
    if query.get("tls", "none") != "none" or ("tls" in query and parts.scheme == "smtps"):
        raise ValueError("?tls=none is for smtp:// only, and there is no other value")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password):
        raise ValueError("a user needs a password, and a password a user")
    sender = query.get("from", "")
    if any(c in sender for c in "\r\n") or ("from" in query and "@" not in sender):
        raise ValueError("from is an address, such as no-reply@example.com")
    security = "tls" if parts.scheme == "smtps" else "starttls"
    if "tls" in query or (security == "starttls" and _is_here(host) and "ca" not in query):
        security = "none"
    return MailServer(host, port, security, user, password, sender, query.get("ca", ""))


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
