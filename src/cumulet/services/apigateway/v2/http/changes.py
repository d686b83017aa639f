"""Parameter mappings carried out: on the request for the backend, and on its answer. Pure.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from cumulet.core.http import Headers, Request
from cumulet.services.apigateway.v2.http.arrival import Arrival, Authorized, Exchange
from cumulet.services.apigateway.v2.http.facts import RequestValues, context_of
from cumulet.services.apigateway.v2.http.refusals import bad_request
from cumulet.services.apigateway.v2.rules.expressions import (
    Variable,
    dig,
    evaluate,
    from_body,
    text_of,
)
from cumulet.services.apigateway.v2.rules.mappings import Change

Pairs = list[tuple[str, str]]

_PATH_SAFE = "/:@!$&'()*+,;=-._~%"


def changed_request(who: Authorized, changes: Sequence[Change]) -> tuple[Arrival, str | None]:
    """The request as the backend gets it, and the path that it is given. Raises Refusal."""
    arrival = who.matched.arrival
    if not changes:
        return arrival, None
    values = RequestValues(who.matched, who)
    headers, query = arrival.request.headers.spelt(), arrival.query()
    path = None
    for change in changes:
        value = None if change.action == "remove" else evaluate(change.value, values)
        if change.action != "remove" and value is None:
            # What a variable does not find is not mapped.
            continue
        match change.place:
            case "header":
                headers = _put(headers, change, text_of(value), ignores_case=True)
            case "querystring":
                query = _put(query, change, text_of(value), ignores_case=False)
            case "path":
                path = _placed(text_of(value))
    old = arrival.request
    request = Request(
        old.method,
        path or old.path,
        urlencode(query) if any(one.place == "querystring" for one in changes) else old.query,
        Headers(headers),
        old.body,
        scheme=old.scheme,
        peer=old.peer,
        client_certificate=old.client_certificate,
    )
    return replace(arrival, request=request, whole_path=path or arrival.whole_path), path


def _placed(text: str) -> str:
    """The path that a mapping gives. What the client put into it may not climb out of its place."""
    path = "/" + quote(text.lstrip("/"), safe=_PATH_SAFE)
    if any(part.lower().replace("%2e", ".") in (".", "..") for part in path.split("/")):
        raise bad_request("a mapped path has dot segments")
    return path


def _put(pairs: Pairs, change: Change, value: str, *, ignores_case: bool) -> Pairs:
    name = change.name

    def is_same(other: str) -> bool:
        return other.lower() == name.lower() if ignores_case else other == name

    if change.action == "append":
        return [*pairs, (name, value)]
    left = [(key, one) for key, one in pairs if not is_same(key)]
    return left if change.action == "remove" else [*left, (name, value)]


def changed_answer(who: Authorized, exchange: Exchange, changes: Sequence[Change]) -> Exchange:
    """The answer as the client gets it."""
    if not changes:
        return exchange
    values = _answer_values(who, exchange)
    headers, status = exchange.headers, exchange.status
    for change in changes:
        value = None if change.action == "remove" else evaluate(change.value, values)
        if change.action != "remove" and value is None:
            continue
        if change.place == "header":
            headers = _put(headers, change, text_of(value), ignores_case=True)
        elif (code := text_of(value)).isdigit() and 200 <= int(code) <= 599:
            status = int(code)
    return Exchange(status, headers, exchange.body)


def _answer_values(who: Authorized, exchange: Exchange) -> Callable[[Variable], Any]:
    matched = who.matched

    def read(variable: Variable) -> Any:
        name = variable.name
        match variable.place:
            case "header":
                found = [one for key, one in exchange.headers if key.lower() == name.lower()]
                return ",".join(found) if found else None
            case "body":
                return _from_answer(exchange.body, name)
            case "stageVariables":
                return matched.stage.variables.get(name)
            case "context":
                context = context_of(matched.stage, matched.arrival, matched.route, who)
                return dig(context, name)
        return None

    return read


def _from_answer(content: bytes, path: str) -> Any:
    if not path:
        return content.decode("utf-8", "replace")
    try:
        return from_body(orjson.loads(content), path)
    except orjson.JSONDecodeError:
        return None
