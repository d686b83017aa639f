"""The event that a function gets from a proxy integration, format 1.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cumulet.core.identity import Principal
from cumulet.services.apigateway.admission.domains.peer import client_cert
from cumulet.services.apigateway.pipeline.match import Matched

if TYPE_CHECKING:
    from cumulet.services.apigateway.pipeline.meter import UsedKey
    from cumulet.services.apigateway.pipeline.validate import Admitted

DROPPED = frozenset(
    {
        *("connection", "content-length", "content-md5", "expect", "max-forwards"),
        *("proxy-authenticate", "server", "te", "transfer-encoding", "trailer", "upgrade"),
        *("www-authenticate", "keep-alive", "proxy-connection"),
    }
)
"""Headers of the client's own connection, which no integration sees."""

_CAPITALIZED = {
    "authorization": "Authorization",
    "host": "Host",
    "user-agent": "User-Agent",
    "x-amzn-trace-id": "X-Amzn-Trace-Id",
    "x-forwarded-for": "X-Forwarded-For",
    "x-forwarded-port": "X-Forwarded-Port",
    "x-forwarded-proto": "X-Forwarded-Proto",
}
"""Headers that API Gateway spells its own way."""


def proxy_event(admitted: Admitted) -> dict[str, Any]:
    """The event for a function; `null` where AWS has it."""
    matched = admitted.authorized.matched
    headers, many_headers = event_headers(matched)
    query, many_query = event_query(admitted.query)
    body, is_base64 = event_body(matched)
    return {
        "resource": matched.method.resource_path,
        # By a custom domain, what a function sees begins with the base path.
        "path": matched.arrival.whole_path if matched.arrival.by_domain else matched.path,
        "httpMethod": matched.arrival.request.method,
        "headers": headers,
        "multiValueHeaders": many_headers,
        "queryStringParameters": query,
        "multiValueQueryStringParameters": many_query,
        "pathParameters": matched.path_parameters,
        "stageVariables": matched.stage.variables,
        "requestContext": admitted_context(admitted),
        "body": body,
        "isBase64Encoded": is_base64,
    }


def event_headers(matched: Matched) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The headers as the client spelt them, by last value and by all values."""
    arrival = matched.arrival
    request = arrival.request
    single: dict[str, str] = {}
    many: dict[str, list[str]] = {}
    forwarded = request.peer
    sent = request.headers
    for (name, value), (lowered, _) in zip(sent.spelt(), sent.pairs, strict=True):
        if lowered in DROPPED:
            continue
        if lowered in _CAPITALIZED:
            if lowered.startswith("x-"):
                if lowered == "x-forwarded-for":
                    forwarded = f"{value}, {request.peer}"
                continue
            name = _CAPITALIZED[lowered]
        single[name] = value
        if name in many:
            many[name].append(value)
        else:
            many[name] = [value]
    for name, value in (
        ("X-Amzn-Trace-Id", arrival.trace_header),
        ("X-Forwarded-For", forwarded),
        ("X-Forwarded-Port", _port(request.host, request.scheme)),
        ("X-Forwarded-Proto", request.scheme),
    ):
        single[name] = value
        many[name] = [value]
    return single, many


def _port(host: str, scheme: str) -> str:
    _, colon, port = host.rpartition(":")
    if colon and port.isdigit():
        return port
    return "443" if scheme == "https" else "80"


def event_query(
    pairs: list[tuple[str, str]],
) -> tuple[dict[str, str] | None, dict[str, list[str]] | None]:
    """The query by last value and by all values; None for none."""
    if not pairs:
        return None, None
    many: dict[str, list[str]] = {}
    for name, value in pairs:
        many.setdefault(name, []).append(value)
    return dict(pairs), many


def event_body(matched: Matched) -> tuple[str | None, bool]:
    """The body as text, or as base64 when its type is one of the API's binary ones."""
    body = matched.arrival.body
    if not body:
        return None, False
    stage = matched.stage
    if stage.binary_types and stage.is_binary(matched.arrival.request.headers.get("content-type")):
        return base64.b64encode(body).decode(), True
    return body.decode("utf-8", "replace"), False


def admitted_context(admitted: Admitted) -> dict[str, Any]:
    """`requestContext` of a request that may reach its backend."""
    authorized = admitted.authorized
    return request_context(
        authorized.matched, authorized.caller, authorized.authorizer, admitted.key
    )


def request_context(
    matched: Matched,
    caller: Principal,
    authorizer: Mapping[str, Any] | None = None,
    key: UsedKey | None = None,
) -> dict[str, Any]:
    """What `requestContext` of an event, and `$context` of a template, say of the request.

    `authorizer` is what an authorizer said, `key` the API key that was used.
    """
    arrival, stage, method = matched.arrival, matched.stage, matched.method
    request = arrival.request
    found: dict[str, Any] = {
        "resourceId": method.resource_id,
        "resourcePath": method.resource_path,
        "httpMethod": request.method,
        "extendedRequestId": arrival.extended_id,
        "requestTime": _clf_time(arrival.epoch_ms // 1000),
        "path": arrival.whole_path,
        "accountId": stage.scope.account,
        "protocol": "HTTP/1.1",
        "stage": stage.stage_name,
        "domainPrefix": arrival.domain_prefix,
        "requestTimeEpoch": arrival.epoch_ms,
        "requestId": arrival.request_id,
        "identity": _identity(caller, request.peer, request.headers.get("user-agent")),
        "domainName": arrival.domain,
        "deploymentId": stage.deployment_id,
        "apiId": stage.api_id,
    }
    if authorizer is not None:
        found["authorizer"] = authorizer
    if arrival.by_domain and (certificate := client_cert(request.client_certificate)) is not None:
        found["identity"]["clientCert"] = certificate
    if key is not None:
        found["identity"] |= {"apiKey": key.value, "apiKeyId": key.id}
    return found


def _identity(caller: Principal, peer: str, agent: str) -> dict[str, str | None]:
    known = caller.kind != "anonymous"
    return {
        "cognitoIdentityPoolId": None,
        "accountId": caller.account if known else None,
        "cognitoIdentityId": None,
        "caller": caller.user_id if known else None,
        "sourceIp": peer,
        "principalOrgId": None,
        "accessKey": (caller.access_key_id or None) if known else None,
        "cognitoAuthenticationType": None,
        "cognitoAuthenticationProvider": None,
        "userArn": caller.arn if known else None,
        "userAgent": agent or None,
        "user": caller.user_id if known else None,
    }


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@lru_cache(maxsize=4)
def _clf_time(seconds: int) -> str:
    """`21/Nov/2026:14:35:33 +0000`, whatever the machine's language."""
    t = time.gmtime(seconds)
    return (
        f"{t.tm_mday:02d}/{_MONTHS[t.tm_mon - 1]}/{t.tm_year}:"
        f"{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d} +0000"
    )
