"""Integrations that are not proxies: requests and answers shaped by mappings and templates."""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from cumulet.services.apigateway.pipeline.event import admitted_context, event_headers
from cumulet.services.apigateway.pipeline.exchange import Exchange
from cumulet.services.apigateway.pipeline.faults import (
    GatewayFault,
    configuration_error,
    unsupported_media_type,
)
from cumulet.services.apigateway.pipeline.observe.context import trace_root
from cumulet.services.apigateway.pipeline.served import ServedResponse
from cumulet.services.apigateway.pipeline.validate import Admitted
from cumulet.services.apigateway.rules.mapping import Assignment, Source
from cumulet.services.apigateway.rules.patterns import (
    MATCH_SECONDS_MAX,
    Overlong,
    Pattern,
    fits,
)
from cumulet.services.apigateway.templates import (
    BadPath,
    Block,
    Input,
    TemplateError,
    Util,
    find,
    render,
)
from cumulet.services.apigateway.templates.values import to_text

V = TypeVar("V")

_JSON = "application/json"
_PATTERN_TEXT_MAX = 4_096
"""How much of an error message is compared with the patterns of integration responses."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What mappings and templates of one request may ask for."""

    headers: Mapping[str, str]
    many_headers: Mapping[str, list[str]]
    query: Mapping[str, str]
    many_query: Mapping[str, list[str]]
    path: Mapping[str, str]
    context: dict[str, Any]
    variables: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request for the backend, as mapped: `parameters` by place and name, and the body."""

    parameters: Mapping[str, Mapping[str, str | list[str]]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Incoming:
    """A backend's answer. `selector` is what patterns are compared with."""

    selector: str
    headers: list[tuple[str, str]]
    body: bytes


def facts_of(admitted: Admitted) -> Facts:
    """What the request offers to mappings and templates."""
    matched = admitted.authorized.matched
    headers, many_headers = event_headers(matched)
    many_query: dict[str, list[str]] = {}
    for name, value in admitted.query:
        many_query.setdefault(name, []).append(value)
    return Facts(
        headers=headers,
        many_headers=many_headers,
        query=dict(admitted.query),
        many_query=many_query,
        path=matched.path_parameters or {},
        context={
            **admitted_context(admitted),
            "isCanaryRequest": matched.stage.is_canary,
            "xrayTraceId": trace_root(matched.arrival.trace_header),
        },
        variables=matched.stage.variables or {},
        body=matched.arrival.body,
    )


def assigned(
    assignments: tuple[Assignment, ...], facts: Facts, incoming: Incoming | None = None
) -> dict[str, dict[str, str | list[str]]]:
    """The parameters that the mappings give, by place; what is not there is left out."""
    found: dict[str, dict[str, str | list[str]]] = {"header": {}, "querystring": {}, "path": {}}
    for one in assignments:
        value = _value_of(one.source, facts, incoming)
        if value is not None:
            found[one.place][one.name] = value
    return found


def _value_of(source: Source, facts: Facts, incoming: Incoming | None) -> str | list[str] | None:
    match source.kind:
        case "static":
            return source.name
        case "stage":
            return facts.variables.get(source.name)
        case "context":
            value: Any = facts.context
            for name in source.name.split("."):
                value = value.get(name) if isinstance(value, dict) else None
            return None if value is None else to_text(value)
        case "body":
            body = facts.body if incoming is None else incoming.body
            return _from_body(body.decode("utf-8", "replace"), source.name)
    if incoming is not None:
        values = [text for name, text in incoming.headers if name.lower() == source.name.lower()]
        return (values or None) if source.kind == "many" else (values[-1] if values else None)
    if source.kind == "many":
        return _look_up(
            facts.many_headers if source.place == "header" else facts.many_query, source
        )
    single = {"header": facts.headers, "querystring": facts.query, "path": facts.path}
    return _look_up(single[source.place], source)


def _look_up(owner: Mapping[str, V], source: Source) -> V | None:
    if source.name in owner or source.place != "header":
        return owner.get(source.name)
    lowered = source.name.lower()
    return next((value for name, value in owner.items() if name.lower() == lowered), None)


def _from_body(text: str, path: str) -> str | None:
    if not path:
        return text
    try:
        found = find(json.loads(text), "$" + path)
    except (ValueError, BadPath):
        return None
    if isinstance(found, (dict, list)):
        return json.dumps(found, separators=(",", ":"), ensure_ascii=False)
    return None if found is None else to_text(found)


def outgoing(admitted: Admitted, facts: Facts, variables: dict[str, Any]) -> Outgoing:
    """The request for the backend. `variables` are the templates' own, kept for the answer.

    Raises GatewayFault: 415 when the body's type may not pass.
    """
    matched = admitted.authorized.matched
    method = matched.method
    parameters = assigned(method.assignments, facts)
    handling = method.integration.content_handling
    kind = matched.arrival.request.headers.get("content-type")
    body = _converted(facts.body, matched.stage.is_binary(kind), handling)
    template = _request_template(admitted)
    if template is not None:
        body = _render(template, variables, body, facts).encode()
        overrides = variables["context"].get("requestOverride")
        if isinstance(overrides, dict):
            _override(parameters, overrides)
    return Outgoing(parameters, body)


def _override(
    parameters: dict[str, dict[str, str | list[str]]], overrides: Mapping[str, Any]
) -> None:
    for place in ("header", "querystring", "path"):
        given = overrides.get(place)
        if isinstance(given, dict):
            parameters[place].update({name: to_text(value) for name, value in given.items()})


def template_variables(facts: Facts) -> dict[str, Any]:
    """The variables that a request's templates begin with."""
    overrides: dict[str, Any] = {"header": {}, "querystring": {}, "path": {}}
    answers: dict[str, Any] = {"header": {}}
    return {
        "util": Util(),
        "context": {
            **facts.context,
            "requestOverride": overrides,
            "responseOverride": answers,
        },
        "stageVariables": dict(facts.variables),
    }


def _request_template(admitted: Admitted) -> Block | None:
    """The template for the body's type; None to pass it through.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html
    """
    matched = admitted.authorized.matched
    given = matched.arrival.request.headers.get("content-type") or _JSON
    found = matched.method.templates.get(given.partition(";")[0].strip().lower())
    if found is not None:
        return found
    behaviour = matched.method.integration.passthrough_behavior
    if behaviour == "NEVER" or (behaviour == "WHEN_NO_TEMPLATES" and matched.method.templates):
        raise unsupported_media_type()
    return None


def _converted(body: bytes, is_binary: bool, handling: str | None) -> bytes:
    """Bytes as base64 text, or such text as bytes, where the two differ.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
    """
    if handling == "CONVERT_TO_TEXT" and is_binary:
        return base64.b64encode(body)
    if handling == "CONVERT_TO_BINARY" and not is_binary:
        try:
            return base64.b64decode(body, validate=True)
        except binascii.Error as cause:
            raise _server_error("the body is not base64") from cause
    return body


def _server_error(cause: str) -> GatewayFault:
    return configuration_error(cause)


def _render(block: Block, variables: dict[str, Any], body: bytes, facts: Facts) -> str:
    text = body.decode("utf-8", "replace")
    variables["input"] = Input(text, facts.path, facts.query, facts.headers)
    try:
        return render(block, variables)
    except TemplateError as cause:
        raise _server_error(f"the mapping template failed: {cause}") from cause


def answered(
    admitted: Admitted,
    facts: Facts,
    variables: dict[str, Any],
    incoming: Incoming,
    *,
    shows_trace: bool,
) -> Exchange:
    """The backend's answer as its integration response says. Raises GatewayFault.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-integration-settings-integration-response.html
    """
    matched = admitted.authorized.matched
    chosen = _choose(matched.method.responses, incoming.selector)
    if not chosen.is_declared:
        raise configuration_error(
            f"Output mapping refers to an invalid method response: {chosen.status}"
        )
    headers: list[tuple[str, str]] = []
    for name, value in assigned(chosen.assignments, facts, incoming)["header"].items():
        values = value if isinstance(value, list) else [value]
        headers += [(name, text) for text in values]
    own = next((text for name, text in incoming.headers if name.lower() == "content-type"), "")
    accept = next((text for name, text in facts.headers.items() if name.lower() == "accept"), "")
    is_binary = matched.stage.is_binary(own)
    handling = chosen.content_handling
    if handling is None and is_binary != matched.stage.is_binary(accept.partition(",")[0]):
        handling = "CONVERT_TO_TEXT" if is_binary else "CONVERT_TO_BINARY"
    status, body, kind = chosen.status, _converted(incoming.body, is_binary, handling), None
    found = _response_template(chosen, accept)
    if found is not None:
        kind, template = found
        body = _render(template, variables, body, facts).encode()
    # An override may be written by either template, so it counts without one here as well.
    status = _override_answer(variables["context"].get("responseOverride"), headers, status)
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", kind or own or _JSON))
    return Exchange(matched, status, headers, body, shows_trace)


def _choose(responses: tuple[ServedResponse, ...], selector: str) -> ServedResponse:
    text = selector[:_PATTERN_TEXT_MAX]
    until = time.perf_counter() + MATCH_SECONDS_MAX
    default = None
    for response in responses:
        if response.pattern is None:
            default = default or response
        elif text and _fits(response.pattern, text, until):
            return response
    if default is None:
        raise configuration_error("no integration response fits and there is no default one")
    return default


def _fits(pattern: Pattern, text: str, until: float) -> bool:
    """Whether the text fits; all patterns of one answer have the time of one together."""
    try:
        return fits(pattern, text, max(until - time.perf_counter(), 0.001))
    except Overlong as cause:
        raise configuration_error(f"a selection pattern was too slow: {cause}") from cause


def _response_template(response: ServedResponse, accept: str) -> tuple[str, Block] | None:
    templates = response.templates
    if not templates:
        return None
    for kind in (accept.partition(",")[0].partition(";")[0].strip().lower(), _JSON):
        if kind in templates:
            return kind, templates[kind]
    return next(iter(templates.items()))


def _override_answer(overrides: Any, headers: list[tuple[str, str]], status: int) -> int:
    if not isinstance(overrides, dict):
        return status
    given = overrides.get("header")
    for name, value in given.items() if isinstance(given, dict) else ():
        headers[:] = [pair for pair in headers if pair[0].lower() != str(name).lower()]
        headers.append((str(name), to_text(value)))
    wanted = overrides.get("status")
    return wanted if isinstance(wanted, int) and 100 <= wanted < 600 else status
