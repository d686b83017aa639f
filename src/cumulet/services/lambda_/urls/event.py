"""An HTTP request as the event that a function URL gives to its function. Pure.

Payload format 2.0: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

import msgspec

from cumulet.core.http import Headers
from cumulet.core.identity import Principal

_TEXT_TYPES = ("application/json", "application/javascript", "application/xml")
_NOT_PASSED = frozenset({"cookie", "transfer-encoding", "connection"})


class UrlCall(NamedTuple):
    """One request to a function URL. `path` and `query` are as sent, without the URL's own part."""

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    peer: str
    scheme: str
    domain: str
    url_id: str
    account: str
    request_id: str
    caller: Principal | None
    trace_id: str
    now: float


def event_of(call: UrlCall) -> bytes:
    """The event as JSON."""
    headers = _headers(call)
    body, is_encoded = _body(call)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": call.path,
        "rawQueryString": call.query,
        "headers": headers,
        "requestContext": _context(call),
        "isBase64Encoded": is_encoded,
    }
    cookies = [
        each.strip() for line in call.headers.all("cookie") for each in line.split(";") if each
    ]
    if cookies:
        event["cookies"] = cookies
    if parameters := _parameters(call.query):
        event["queryStringParameters"] = parameters
    if body is not None:
        event["body"] = body
    return msgspec.json.encode(event)


def _headers(call: UrlCall) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in call.headers:
        if name not in _NOT_PASSED:
            joined[name] = f"{joined[name]},{value}" if name in joined else value
    joined["x-amzn-trace-id"] = call.trace_id
    joined["x-forwarded-for"] = call.peer
    joined["x-forwarded-proto"] = call.scheme
    port = call.domain.rpartition(":")[2] if ":" in call.domain else ""
    joined["x-forwarded-port"] = port or ("443" if call.scheme == "https" else "80")
    return joined


def _parameters(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in query.split("&"):
        if not pair:
            continue
        raw_name, _, raw_value = pair.partition("=")
        name, value = unquote_plus(raw_name), unquote_plus(raw_value)
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _body(call: UrlCall) -> tuple[str | None, bool]:
    if not call.body:
        return None, False
    kind = call.headers.get("content-type").partition(";")[0].strip().lower()
    is_text = kind.startswith("text/") or kind in _TEXT_TYPES or kind.endswith(("+json", "+xml"))
    if is_text:
        try:
            return call.body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(call.body).decode(), True


def _context(call: UrlCall) -> dict[str, Any]:
    when = datetime.fromtimestamp(call.now, UTC)
    domain = call.domain.partition(":")[0]
    context: dict[str, Any] = {
        "accountId": call.account if call.caller is not None else "anonymous",
        "apiId": call.url_id,
        "domainName": domain,
        "domainPrefix": call.url_id,
        "http": {
            "method": call.method,
            "path": call.path,
            "protocol": "HTTP/1.1",
            "sourceIp": call.peer,
            "userAgent": call.headers.get("user-agent"),
        },
        "requestId": call.request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": f"{when:%d/%b/%Y:%H:%M:%S +0000}",
        "timeEpoch": int(call.now * 1000),
    }
    if call.caller is not None:
        caller = call.caller
        context["authorizer"] = {
            "iam": {
                "accessKey": caller.access_key_id,
                "accountId": caller.account,
                "callerId": caller.user_id,
                "cognitoIdentity": None,
                "principalOrgId": None,
                "userArn": caller.arn,
                "userId": caller.user_id,
            }
        }
    return context
