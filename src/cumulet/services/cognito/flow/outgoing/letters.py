"""A message of a pool as mail servers take it. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from cumulet.services.cognito.model import Mail

_MARKUP = re.compile(r"<\s*(?:/|!|[a-z])[^>]*>", re.IGNORECASE)
_DOMAIN = "cumulet.localdomain"


def address_of(text: str) -> str:
    """The bare address in `Shop <shop@example.com>`."""
    return parseaddr(text)[1]


def written(mail: Mail, sender: str) -> bytes:
    """The message with its headers. The id is the mail's own: sent twice, it is still one."""
    message = EmailMessage(policy=SMTP)
    name, address = parseaddr(_line(sender))
    message["From"] = Address(display_name=name, addr_spec=address)
    message["To"] = Address(addr_spec=_line(mail.to))
    if reply := parseaddr(_line(mail.reply_to))[1]:
        message["Reply-To"] = Address(addr_spec=reply)
    message["Subject"] = _line(mail.subject)
    message["Date"] = format_datetime(datetime.fromtimestamp(mail.sent_at, UTC))
    message["Message-ID"] = f"<{mail.id}@{_DOMAIN}>"
    # Nobody is to answer by a machine (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    kind = "html" if _MARKUP.search(mail.body) else "plain"
    message.set_content(mail.body, subtype=kind)
    return message.as_bytes()


def _line(text: str) -> str:
    return " ".join(text.split())
