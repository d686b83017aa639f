"""Errors of fronts as S3's XML documents."""

from __future__ import annotations

from xml.sax.saxutils import escape

from cumulet.core.errors import AccessDenied, AwsError
from cumulet.core.http import Response

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def error_document(status: int, code: str, message: str, request_id: str = "") -> Response:
    """An error as S3 writes it."""
    text = (
        f"{_HEAD}<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        f"<RequestId>{escape(request_id)}</RequestId></Error>"
    )
    return Response(status, [("content-type", "application/xml")], text.encode())


def told_error(error: AwsError, request_id: str) -> tuple[int, str, str]:
    """Status, code and message of an error, in S3's words."""
    if isinstance(error, AccessDenied):
        message = error.message if not error.message.startswith("User: * ") else "Access Denied"
        return 403, "AccessDenied", message or "Access Denied"
    status = error.http_status or (500 if error.fault == "server" else 400)
    return status, error.code, error.message
