"""The events that functions get from HTTP APIs, payload formats 1.0 and 2.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
from typing import Any

from cumulet.core.identity import Principal
from cumulet.services.apigateway.admission.domains.peer import client_cert
from cumulet.services.apigateway.v2.http.arrival import Arrival, Authorized, Matched
from cumulet.services.apigateway.v2.http.facts import clf_time, shown_path

_DROPPED = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "expect"})
_TEXT_TYPES = frozenset({"application/json", "application/javascript", "application/xml"})
_TEXT_ENDS = ("+json", "+xml")


def event_2(who: Authorized) -> dict[str, Any]:
    """Format 2.0: one value a header, cookies apart, and nothing that is not there."""
    matched = who.matched
    event = request_2(matched)
    authorizer = _authorizer_2(who)
    if authorizer is not None:
        event["requestContext"]["authorizer"] = authorizer
    body, is_encoded = event_body(matched.arrival)
    if body is not None:
        event["body"] = body
    event["isBase64Encoded"] = is_encoded
    return event


def request_2(matched: Matched) -> dict[str, Any]:
    """What format 2.0 says of the request itself, as authorizers get it too."""
    arrival, route = matched.arrival, matched.route
    headers, cookies = _headers_2(arrival)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": shown_path(arrival),
        "rawQueryString": arrival.request.query,
    }
    if cookies:
        event["cookies"] = cookies
    event["headers"] = headers
    if query := _joined_query(arrival):
        event["queryStringParameters"] = query
    event["requestContext"] = _context_2(matched)
    if matched.parameters:
        event["pathParameters"] = matched.parameters
    if matched.stage.variables:
        event["stageVariables"] = dict(matched.stage.variables)
    return event


def _headers_2(arrival: Arrival) -> tuple[dict[str, str], list[str]]:
    joined: dict[str, str] = {}
    cookies: list[str] = []
    for name, value in arrival.request.headers:
        if name == "cookie":
            cookies += [one for part in value.split(";") if (one := part.strip())]
        elif name not in _DROPPED:
            joined[name] = f"{joined[name]},{value}" if name in joined else value
    joined.setdefault("content-length", str(len(arrival.body)))
    joined.update(forwarded(arrival))
    return joined, cookies


def forwarded(arrival: Arrival) -> dict[str, str]:
    """The headers that tell where a request came from."""
    request = arrival.request
    before = request.headers.get("x-forwarded-for")
    _, colon, port = request.host.rpartition(":")
    if not colon or not port.isdigit():
        port = "443" if request.scheme == "https" else "80"
    return {
        "x-amzn-trace-id": arrival.trace_header,
        "x-forwarded-for": f"{before}, {request.peer}" if before else request.peer,
        "x-forwarded-port": port,
        "x-forwarded-proto": request.scheme,
    }


def _joined_query(arrival: Arrival) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in arrival.query():
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _context_2(matched: Matched) -> dict[str, Any]:
    arrival, stage = matched.arrival, matched.stage
    request = arrival.request
    context: dict[str, Any] = {
        "accountId": stage.scope.account,
        "apiId": stage.api_id,
        "domainName": arrival.domain,
        "domainPrefix": arrival.domain_prefix,
        "http": {
            "method": request.method,
            "path": shown_path(arrival),
            "protocol": "HTTP/1.1",
            "sourceIp": request.peer,
            "userAgent": request.headers.get("user-agent"),
        },
        "requestId": arrival.request_id,
        "routeKey": matched.route.key,
        "stage": stage.name,
        "time": clf_time(arrival.epoch_ms // 1000),
        "timeEpoch": arrival.epoch_ms,
    }
    if request.client_certificate is not None:
        context["authentication"] = {"clientCert": client_cert(request.client_certificate)}
    return context


def _authorizer_2(who: Authorized) -> dict[str, Any] | None:
    if who.claims is not None:
        scopes = list(who.scopes) if who.matched.route.scopes and who.scopes else None
        return {"jwt": {"claims": shown_claims(who.claims), "scopes": scopes}}
    if who.context is not None:
        return {"lambda": who.context}
    if who.caller.kind == "anonymous":
        return None
    caller = who.caller
    return {
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


def shown_claims(claims: dict[str, Any]) -> dict[str, str]:
    """Claims as events have them: texts, and lists with spaces between brackets."""
    return {name: _claim(value) for name, value in claims.items()}


def _claim(value: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case list():
            return f"[{' '.join(_claim(item) for item in value)}]"
        case float() if value.is_integer():
            return str(int(value))
    return str(value)


def event_body(arrival: Arrival) -> tuple[str | None, bool]:
    """The body as text when its type is one of text, else as base64; None when there is none."""
    if not arrival.body:
        return None, False
    kind = arrival.request.headers.get("content-type").partition(";")[0].strip().lower()
    if kind.startswith("text/") or kind in _TEXT_TYPES or kind.endswith(_TEXT_ENDS):
        try:
            return arrival.body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(arrival.body).decode(), True


def event_1(who: Authorized) -> dict[str, Any]:
    """Format 1.0: that of REST APIs' proxies, with `null` for what is not there."""
    event = request_1(who.matched, who)
    body, is_encoded = event_body(who.matched.arrival)
    event["body"] = body
    event["isBase64Encoded"] = is_encoded
    return event


def request_1(matched: Matched, who: Authorized | None) -> dict[str, Any]:
    """What format 1.0 says of the request itself, as authorizers get it too."""
    arrival = matched.arrival
    single, many = _headers_1(arrival)
    query: dict[str, list[str]] = {}
    for name, value in arrival.query():
        query.setdefault(name, []).append(value)
    return {
        "version": "1.0",
        "resource": matched.route.key.partition(" ")[2] or matched.route.key,
        "path": shown_path(arrival),
        "httpMethod": arrival.request.method,
        "headers": single,
        "multiValueHeaders": many,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "requestContext": _context_1(matched, who),
        "pathParameters": matched.parameters or None,
        "stageVariables": dict(matched.stage.variables) or None,
    }


def _headers_1(arrival: Arrival) -> tuple[dict[str, str], dict[str, list[str]]]:
    many: dict[str, list[str]] = {}
    own = forwarded(arrival)
    for name, value in arrival.request.headers.spelt():
        lowered = name.lower()
        if lowered not in _DROPPED and lowered not in own:
            many.setdefault(name, []).append(value)
    for name, value in own.items():
        many["-".join(part.capitalize() for part in name.split("-"))] = [value]
    return {name: values[-1] for name, values in many.items()}, many


def _context_1(matched: Matched, who: Authorized | None) -> dict[str, Any]:
    arrival, stage = matched.arrival, matched.stage
    request = arrival.request
    caller = who.caller if who is not None else None
    identity = _identity_1(caller, request.peer, request.headers.get("user-agent"))
    if request.client_certificate is not None:
        identity["clientCert"] = client_cert(request.client_certificate)
    return {
        "accountId": stage.scope.account,
        "apiId": stage.api_id,
        "authorizer": _authorizer_1(who),
        "domainName": arrival.domain,
        "domainPrefix": arrival.domain_prefix,
        "extendedRequestId": arrival.request_id,
        "httpMethod": request.method,
        "identity": identity,
        "path": shown_path(arrival),
        "protocol": "HTTP/1.1",
        "requestId": arrival.request_id,
        "requestTime": clf_time(arrival.epoch_ms // 1000),
        "requestTimeEpoch": arrival.epoch_ms,
        "resourceId": matched.route.key,
        "resourcePath": matched.route.key.partition(" ")[2] or matched.route.key,
        "stage": stage.name,
    }


def _authorizer_1(who: Authorized | None) -> dict[str, Any]:
    if who is not None and who.context is not None:
        return {**who.context, "principalId": who.principal_id}
    if who is not None and who.claims is not None:
        return {"claims": shown_claims(who.claims), "scopes": list(who.scopes or ()) or None}
    return {"claims": None, "scopes": None}


def _identity_1(caller: Principal | None, peer: str, agent: str) -> dict[str, Any]:
    known = caller if caller is not None and caller.kind != "anonymous" else None
    return {
        "accessKey": (known.access_key_id or None) if known else None,
        "accountId": known.account if known else None,
        "caller": known.user_id if known else None,
        "cognitoAuthenticationProvider": None,
        "cognitoAuthenticationType": None,
        "cognitoIdentityId": None,
        "cognitoIdentityPoolId": None,
        "principalOrgId": None,
        "sourceIp": peer,
        "user": known.user_id if known else None,
        "userAgent": agent or None,
        "userArn": known.arn if known else None,
    }
