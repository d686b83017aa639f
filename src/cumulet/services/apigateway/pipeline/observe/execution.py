"""The lines of execution logs and of test invocations, in AWS's words.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-test-method.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from cumulet.core.http import Response
from cumulet.services.apigateway.pipeline.observe.journal import TRACE_LENGTH_MAX

if TYPE_CHECKING:
    from cumulet.services.apigateway.pipeline.match import Arrival, Matched
    from cumulet.services.apigateway.pipeline.served import ServedStage

_HIDDEN = frozenset({"authorization", "x-amz-security-token", "x-api-key"})
"""Headers whose values are shown by their ends alone."""


def lines_of(
    stage: ServedStage,
    arrival: Arrival,
    response: Response,
    *,
    only_errors: bool,
    with_data: bool,
) -> Iterator[str]:
    """The lines of one request whose resource is known; bodies and headers only `with_data`."""
    journal = arrival.journal
    matched = journal.matched
    failed = journal.fault is not None
    if only_errors and not failed:
        return
    if not only_errors:
        yield from _beginning(stage, arrival)
    if matched is not None and with_data:
        yield from _request(matched)
    if with_data or not only_errors:
        yield from _integration(arrival, with_data=with_data)
    if journal.fault is not None:
        cause = journal.cause or journal.fault.cause or journal.fault.message or ""
        if journal.fault.status >= 500:
            yield f"Execution failed due to configuration error: {cause}"
        else:
            yield f"{cause or journal.fault.kind}"
        if not journal.is_test:
            kind = journal.fault.kind
            yield f"Gateway response type: {kind} with status code: {response.status}"
        if with_data and not journal.is_test:
            yield f"Gateway response body: {_shown(_bytes(response))}"
            yield f"Gateway response headers: {_headers(response.headers)}"
    elif with_data:
        yield f"Method response body after transformations: {_shown(_bytes(response))}"
        # A test invocation has no answer whose identifiers a client could see.
        told = [
            pair
            for pair in response.headers
            if not (journal.is_test and pair[0].lower() in ("x-amzn-requestid", "x-amz-apigw-id"))
        ]
        yield f"Method response headers: {_headers(told)}"
    if not failed and not only_errors:
        if journal.backend_request_id:
            yield f"AWS Integration Endpoint RequestId : {journal.backend_request_id}"
        yield "Successfully completed execution"
    yield f"Method completed with status: {response.status}"


def _beginning(stage: ServedStage, arrival: Arrival) -> Iterator[str]:
    matched = arrival.journal.matched
    if not arrival.journal.is_test:
        yield from _plan(stage, arrival)
    yield f"Starting execution for request: {arrival.request_id}"
    path = "" if matched is None else matched.path
    yield f"HTTP Method: {arrival.request.method}, Resource Path: {path}"
    if stage.is_canary:
        yield "This request is served by the canary deployment"


def _plan(stage: ServedStage, arrival: Arrival) -> Iterator[str]:
    journal = arrival.journal
    place = f"{stage.api_id}/{stage.stage_name}"
    key = "" if journal.key is None else _discreet("x-api-key", journal.key.value)
    yield f"Extended Request Id: {arrival.extended_id}"
    yield (
        f"Verifying Usage Plan for request: {arrival.request_id}. API Key: {key} API Stage: {place}"
    )
    if journal.authorized is None or journal.matched is None:
        return
    method = journal.matched.method
    if not method.api_key_required:
        yield (
            f"API Key {key} authorized because method '{method.http_method} "
            f"{method.resource_path}' does not require API Key. Request will not contribute to "
            "throttle or quota limits"
        )
    if journal.key is not None or not method.api_key_required:
        yield f"Usage Plan check succeeded for API Key {key} and API Stage {place}"


def _request(matched: Matched) -> Iterator[str]:
    arrival = matched.arrival
    query: dict[str, str] = {}
    for pair in arrival.request.query.split("&") if arrival.request.query else ():
        name, _, value = pair.partition("=")
        query[name] = value
    yield f"Method request path: {_map(matched.path_parameters or {})}"
    yield f"Method request query string: {_map(query)}"
    yield f"Method request headers: {_headers(arrival.request.headers.spelt())}"
    yield f"Method request body before transformations: {_shown(arrival.body)}"


def _integration(arrival: Arrival, *, with_data: bool) -> Iterator[str]:
    journal = arrival.journal
    if journal.cache == "hit":
        yield "The response is served from the cache"
        return
    sent, received = journal.sent, journal.received
    if sent is not None:
        if with_data:
            yield f"Endpoint request URI: {sent.uri}"
            yield f"Endpoint request headers: {_headers(sent.headers)}"
            yield f"Endpoint request body after transformations: {_shown(sent.body)}"
        yield f"Sending request to {sent.uri}"
    if journal.integration_ms is not None and received is not None:
        yield (
            f"Received response. Status: {received[0]}, "
            f"Integration latency: {journal.integration_ms} ms"
        )
        if with_data:
            yield f"Endpoint response headers: {_headers(received[1])}"
            yield f"Endpoint response body before transformations: {_shown(received[2])}"


def _bytes(response: Response) -> bytes:
    return response.body if isinstance(response.body, bytes) else b"[streamed]"


def _shown(body: bytes) -> str:
    text = body[: TRACE_LENGTH_MAX * 4].decode("utf-8", "replace")
    return text if len(text) <= TRACE_LENGTH_MAX else f"{text[:TRACE_LENGTH_MAX]} [TRUNCATED]"


def _map(pairs: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{name}={value}" for name, value in pairs.items()) + "}"


def _headers(pairs: Iterable[tuple[str, str]]) -> str:
    return _map({name: _discreet(name, value) for name, value in pairs})


def _discreet(name: str, value: str) -> str:
    if name.lower() not in _HIDDEN:
        return value
    return "*" * max(len(value) - 6, 6) + value[-6:] if len(value) > 12 else "*" * len(value)
