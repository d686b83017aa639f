"""What X-Ray is told of a request to a stage: one segment, with a part for each that it asked.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-understanding-xray-traces.html
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from cumulet.core import trace_header
from cumulet.core.clock import Clock, new_hex
from cumulet.core.context import Platform
from cumulet.core.http import Response
from cumulet.core.identity import parse_arn
from cumulet.core.trace_header import Sampled
from cumulet.kit.ports import Segments, TraceStart
from cumulet.services.apigateway.admission.authorizers import AuthorizerError, AuthorizerFunction
from cumulet.services.apigateway.pipeline.faults import GatewayFault

if TYPE_CHECKING:
    from cumulet.services.apigateway.pipeline.match import Arrival, Matched
    from cumulet.services.apigateway.pipeline.observe.journal import Journal
    from cumulet.services.apigateway.pipeline.served import ServedStage

ORIGIN = "AWS::ApiGateway::Stage"
_TEXT_MAX = 2_048
_NAME_MAX = 200
"""https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html"""

Document = dict[str, Any]


async def begin_trace(platform: Platform, stage: ServedStage, arrival: Arrival) -> Arrival:
    """The request with a trace header that says whether it is recorded, where that is decided.

    The caller's word counts. Without it a stage with active tracing asks the sampling rules, and
    any other leaves it to whom it calls.
    """
    header = arrival.trace_header
    said = trace_header.sampled(header)
    rule = ""
    if said is None:
        if not stage.begins_traces or trace_header.decision_of(header) is not None:
            return arrival
        rule = await platform.need(Segments).sample(stage.scope, _start(stage, arrival))
        header = trace_header.decided(header, bool(rule))
        said = trace_header.sampled(header)
        if said is None:
            return msgspec.structs.replace(arrival, trace_header=header)
    traced = TracedRequest(platform, said, rule, header)
    arrival.journal.traced = traced
    return msgspec.structs.replace(arrival, trace_header=traced.header)


def _start(stage: ServedStage, arrival: Arrival) -> TraceStart:
    request = arrival.request
    return TraceStart(
        f"{stage.api_name}/{stage.stage_name}",
        ORIGIN,
        _stage_arn(stage),
        arrival.domain,
        request.method,
        arrival.whole_path,
        request.headers.first,
    )


def _stage_arn(stage: ServedStage) -> str:
    region = stage.scope.region
    return f"arn:aws:apigateway:{region}::/restapis/{stage.api_id}/stages/{stage.stage_name}"


class TracedRequest:
    """A request that is recorded. `header` is for whoever the method's backend is."""

    def __init__(self, platform: Platform, said: Sampled, rule: str, header: str) -> None:
        self._segments = platform.need(Segments)
        self._clock: Clock = platform.clock
        self._said = said
        self._rule = rule
        self._given = header
        self._id = new_hex(self._clock, 16)
        self._backend = new_hex(self._clock, 16)
        self._began = self._clock.now()
        self._parts: list[Document] = []
        self.header = trace_header.decided(header, True, self._backend)

    @contextmanager
    def authorizing(self, function: AuthorizerFunction) -> Iterator[str]:
        """The block asks an authorizer's function, which is told the header that this gives."""
        part = self._begin(new_hex(self._clock, 16))
        part |= _function(function.function, function.region)
        try:
            yield trace_header.decided(self._given, True, part["id"])
            part["http"]["response"] = {"status": 200}
        except AuthorizerError as error:
            part["fault" if error.kind == "failed" else "error"] = True
            raise
        finally:
            self._end(part)

    @contextmanager
    def asking(self, matched: Matched) -> Iterator[None]:
        """The block asks the method's backend."""
        part = self._begin(self._backend)
        journal = matched.arrival.journal
        try:
            yield
        except GatewayFault:
            part["fault"] = True
            raise
        finally:
            part |= _backend(matched, journal)
            if journal.received is not None:
                status, _, body = journal.received
                part["http"]["response"] = {"status": status, "content_length": len(body)}
                part |= _flags(status)
            self._end(part)

    def _begin(self, uid: str) -> Document:
        return {"id": uid, "name": "", "start_time": self._clock.now()}

    def _end(self, part: Document) -> None:
        part["end_time"] = self._clock.now()
        self._parts.append(part)

    def finish(self, stage: ServedStage, arrival: Arrival, response: Response) -> None:
        """The answer is made: tell X-Ray."""
        scope, document = stage.scope, self._about(stage, arrival)
        answer: Document = {"status": response.status}
        if isinstance(response.body, bytes):
            answer["content_length"] = len(response.body)
        document |= {
            "end_time": self._clock.now(),
            "http": {"request": _asked(arrival), "response": answer},
            **_flags(response.status),
        }
        if self._parts:
            document["subsegments"] = self._parts
        self._segments.put(scope, document)

    def _about(self, stage: ServedStage, arrival: Arrival) -> Document:
        ids = {
            "account_id": stage.scope.account,
            "rest_api_id": stage.api_id,
            "stage": stage.stage_name,
            "request_id": arrival.request_id,
        }
        xray = {"xray": {"sampling_rule_name": self._rule}} if self._rule else {}
        parent = {"parent_id": self._said.parent_id} if self._said.parent_id else {}
        return {
            "id": self._id,
            "trace_id": self._said.trace_id,
            **parent,
            "name": f"{stage.api_name}/{stage.stage_name}"[:_NAME_MAX],
            "origin": ORIGIN,
            "resource_arn": _stage_arn(stage),
            "start_time": self._began,
            "aws": {**xray, "api_gateway": ids},
            "annotations": {"aws:api_id": stage.api_id, "aws:api_stage": stage.stage_name},
            "metadata": {
                "default": {
                    "extended_request_id": arrival.extended_id,
                    "request_id": arrival.request_id,
                }
            },
        }


def _asked(arrival: Arrival) -> Document:
    request = arrival.request
    query = f"?{request.query}" if request.query else ""
    url = f"{request.scheme}://{arrival.domain}{request.path}{query}"
    told: Document = {"url": url[:_TEXT_MAX], "method": request.method, "client_ip": request.peer}
    if agent := request.headers.get("user-agent"):
        told["user_agent"] = agent[:_TEXT_MAX]
    if forwarded := request.headers.get("x-forwarded-for"):
        told |= {"client_ip": forwarded.partition(",")[0].strip(), "x_forwarded_for": True}
    return told


def _flags(status: int) -> Document:
    if status >= 500:
        return {"fault": True}
    if status == 429:
        return {"error": True, "throttle": True}
    return {"error": True} if status >= 400 else {}


def _function(arn: str, region: str) -> Document:
    """What is said of a call of a function."""
    found = parse_arn(arn)
    name = arn if found is None else found.resource.removeprefix("function:").partition(":")[0]
    url = f"https://lambda.{region}.amazonaws.com/2015-03-31/functions/{arn}/invocations"
    return {
        "name": "Lambda",
        "namespace": "aws",
        "http": {"request": {"url": url, "method": "POST"}},
        "aws": {
            "function_name": name,
            "region": region,
            "operation": "Invoke",
            "resource_names": [name],
        },
    }


def _backend(matched: Matched, journal: Journal) -> Document:
    """What is said of a call of the method's backend."""
    method = matched.method
    if method.service is None and method.kind in ("AWS", "AWS_PROXY"):
        return _function(method.function, method.function_region)
    url = (journal.sent.uri if journal.sent is not None else method.uri)[:_TEXT_MAX]
    http = {"request": {"url": url, "method": method.integration.http_method or "ANY"}}
    if method.service is not None:
        operation = method.service.rest.partition("?")[0]
        return {
            "name": method.service.service,
            "namespace": "aws",
            "http": http,
            "aws": {"region": method.service.region, "operation": operation[:_NAME_MAX]},
        }
    # A node for each path: https://docs.aws.amazon.com/xray/latest/devguide/xray-services-apigateway.html
    address = urlsplit(url)
    name = (address.path if address.path not in ("", "/") else address.netloc)[:_NAME_MAX]
    return {"name": name or "-", "namespace": "remote", "http": http}
