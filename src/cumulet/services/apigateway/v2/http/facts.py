"""What `$context` says of a request to an HTTP API, and how mappings read the request itself.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import orjson

from cumulet.services.apigateway.admission.domains.peer import client_cert
from cumulet.services.apigateway.v2.http.arrival import Arrival, Authorized, Matched
from cumulet.services.apigateway.v2.http.prepared.served import ServedRoute, ServedStage
from cumulet.services.apigateway.v2.rules.expressions import Variable, dig, from_body

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@lru_cache(maxsize=8)
def clf_time(seconds: int) -> str:
    """`21/Nov/2026:14:35:33 +0000`, whatever the machine's language."""
    t = time.gmtime(seconds)
    return (
        f"{t.tm_mday:02d}/{_MONTHS[t.tm_mon - 1]}/{t.tm_year}:"
        f"{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d} +0000"
    )


def shown_path(arrival: Arrival) -> str:
    """The path as events and logs show it: decoded, the stage included."""
    path = arrival.whole_path
    return unquote(path) if "%" in path else path


def context_of(
    stage: ServedStage, arrival: Arrival, route: ServedRoute | None, who: Authorized | None
) -> dict[str, Any]:
    """The `$context` variables that are known before the backend is asked."""
    request = arrival.request
    identity: dict[str, Any] = {
        "sourceIp": request.peer,
        "userAgent": request.headers.get("user-agent") or None,
    }
    if request.client_certificate is not None:
        identity["clientCert"] = client_cert(request.client_certificate)
    context: dict[str, Any] = {
        "accountId": stage.scope.account,
        "apiId": stage.api_id,
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
        "stage": stage.name,
        "customDomain": {"basePathMatched": arrival.base_path},
    }
    if route is not None:
        context["routeKey"] = route.key
    if who is not None:
        _tell_caller(context, who)
    return context


def _tell_caller(context: dict[str, Any], who: Authorized) -> None:
    if who.claims is not None:
        context["authorizer"] = {"claims": who.claims, "scopes": list(who.scopes or ())}
    elif who.context is not None:
        context["authorizer"] = {**who.context, "principalId": who.principal_id or None}
    if who.caller.kind != "anonymous":
        caller = who.caller
        context["identity"] |= {
            "accountId": caller.account,
            "caller": caller.user_id,
            "user": caller.user_id,
            "userArn": caller.arn,
            "accessKey": caller.access_key_id or None,
        }


class RequestValues:
    """The variables of a request's mappings, each worked out when it is first asked for."""

    def __init__(self, matched: Matched, who: Authorized | None) -> None:
        self._matched = matched
        self._who = who
        self._context: dict[str, Any] | None = None
        self._query: dict[str, list[str]] | None = None

    def __call__(self, variable: Variable) -> Any:
        """The value, None when there is none."""
        return _READERS[variable.place](self, variable.name)

    def header(self, name: str) -> str | None:
        """A header's values, with commas."""
        found = self._matched.arrival.request.headers.all(name.lower())
        return ",".join(found) if found else None

    def querystring(self, name: str) -> str | None:
        """A query parameter's values, with commas."""
        if self._query is None:
            self._query = {}
            for key, value in self._matched.arrival.query():
                self._query.setdefault(key, []).append(value)
        found = self._query.get(name)
        return None if found is None else ",".join(found)

    def path(self, name: str) -> str | None:
        """A path variable, or without a name the path without the stage."""
        return self._matched.parameters.get(name) if name else self._matched.path

    def body(self, path: str) -> Any:
        """What a JSON path finds in the body, or all of it as text."""
        content = self._matched.arrival.body
        if not path:
            return content.decode("utf-8", "replace")
        try:
            return from_body(orjson.loads(content), path)
        except orjson.JSONDecodeError:
            return None

    def context(self, name: str) -> Any:
        """A `$context` variable."""
        if self._context is None:
            matched = self._matched
            self._context = context_of(matched.stage, matched.arrival, matched.route, self._who)
        return dig(self._context, name)

    def stage_variable(self, name: str) -> str | None:
        """A stage variable."""
        return self._matched.stage.variables.get(name)


_READERS: dict[str, Callable[[RequestValues, str], Any]] = {
    "header": RequestValues.header,
    "querystring": RequestValues.querystring,
    "path": RequestValues.path,
    "body": RequestValues.body,
    "context": RequestValues.context,
    "stageVariables": RequestValues.stage_variable,
}
