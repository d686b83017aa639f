"""The AWS API: detect → verify → read → dispatch → write; every error in its protocol's form.

The order of refusals is AWS's: an operation that does not exist, a missing signature, a false one,
a body that cannot be read, a broken constraint, a missing permission.
"""

from __future__ import annotations

import logging
import re

from cumulet.core.context import Context
from cumulet.core.errors import (
    AwsError,
    InternalFailure,
    OperationNotImplemented,
    UnknownOperation,
)
from cumulet.core.http import Body, BytesBody, Request, Response
from cumulet.core.identity import Scope
from cumulet.core.trace import Trace, log_cause, log_line
from cumulet.edge.authenticate import S3, Authenticator, Claim
from cumulet.edge.bodies.compress import compress
from cumulet.edge.bodies.documents import check_document
from cumulet.edge.calls import run_traced
from cumulet.edge.errands import addressed, answer_in_json, refuse_in_json, wants_json
from cumulet.edge.limits import body_limit
from cumulet.edge.route import path_style
from cumulet.kit.dispatch import Dispatcher
from cumulet.kit.service import Operation
from cumulet.kit.surface import Errand
from cumulet.wire import sigv2
from cumulet.wire.catalog import Catalog
from cumulet.wire.codec import reader_of, writer_of
from cumulet.wire.detect import Detector, Target
from cumulet.wire.faults import render
from cumulet.wire.model import OperationModel, ServiceModel
from cumulet.wire.presigned import with_hoisted_headers
from cumulet.wire.protocols.coding import accepted
from cumulet.wire.sigv4 import claimed_service

_SERVICE_NAME = re.compile(r"[a-z0-9-]+\Z")
DEFAULT_REGION = "us-east-1"
"""Of unsigned requests, which name none."""


class _Served:
    """One operation in one protocol, made ready to be asked for often."""

    __slots__ = (
        "checks_document",
        "compresses",
        "is_streamed",
        "limit_bytes",
        "model",
        "note",
        "operation",
        "read",
        "signing_name",
        "takes_unsigned",
        "write",
    )

    def __init__(
        self, target: Target, model: ServiceModel, operation: OperationModel, declared: Operation
    ) -> None:
        self.model = model
        self.operation = operation
        self.signing_name = model.signing_name
        self.takes_unsigned = declared.takes_unsigned
        self.is_streamed = operation.streaming_input
        self.compresses = target.service == "dynamodb"
        # Elsewhere these digests are those of the object, not of the document.
        members = operation.input.members if operation.input is not None else {}
        self.checks_document = "ChecksumCRC32" not in members
        self.limit_bytes = body_limit(target.service, target.protocol)
        self.read = reader_of(operation, target.protocol)
        self.write = writer_of(operation, target.protocol)
        self.note = {
            "service": target.service,
            "operation": operation.name,
            "protocol": target.protocol,
        }


class _Call:
    """One request on its way: what is known of it so far, which is also what an error needs."""

    __slots__ = (
        *("body", "claim", "model", "operation", "read", "request", "request_id", "target"),
        "trace",
    )

    def __init__(
        self, request: Request, read: Request, target: Target, request_id: str, trace: Trace
    ) -> None:
        self.request = request
        self.read = read
        self.target = target
        self.request_id = request_id
        self.trace = trace
        self.model: ServiceModel | None = None
        self.operation: OperationModel | None = None
        self.body: bytes | None = None
        self.claim: Claim | None = None
        """Who a front makes the request for; None when it came from outside."""

    @property
    def wants_json(self) -> bool:
        """Whether an answer of the query protocol is to be JSON, as errands may ask for."""
        is_errand = self.claim is not None and self.target.protocol in ("query", "ec2")
        return is_errand and wants_json(self.request)


class AwsApi:
    """Answers AWS's protocols for the services of a dispatcher."""

    def __init__(
        self, dispatcher: Dispatcher, catalog: Catalog, authenticator: Authenticator
    ) -> None:
        self._dispatcher = dispatcher
        self._catalog = catalog
        self._detector = Detector(catalog, dispatcher.services)
        self._authenticator = authenticator
        self._served: dict[Target, _Served] = {}

    async def serve(self, request: Request, request_id: str, trace: Trace) -> Response:
        """Answer one request; every failure is an answer too."""
        read = path_style(request)
        target = self._detector.named(read)
        if target is None:
            signing_name = claimed_service(request) or sigv2.claimed_service(request)
            target = self._detector.detect(read, signing_name)
            if target is None:
                return self._nobody(request, signing_name, request_id, trace)
        return await self._answer(_Call(request, read, target, request_id, trace))

    async def carry_out(self, errand: Errand) -> Response:
        """The `Outlet` of `kit/surface.py`: a request without a signature, in a known name."""
        request, service, trace = errand.request, errand.service, errand.trace
        model = self._signed_for(service)
        if errand.action and model is not None:
            request = await addressed(request, model, errand.action)
        read = path_style(request)
        target = self._detector.detect(read, service)
        if target is None:
            return self._nobody(request, service, errand.request_id, trace)
        call = _Call(request, read, target, errand.request_id, trace)
        call.claim = Claim(None, errand.principal, "", service == S3, errand.region)
        return await self._answer(call)

    def _signed_for(self, signing_name: str) -> ServiceModel | None:
        """The model of the service that is served under this signing name."""
        models = map(self._catalog.service, self._dispatcher.services)
        return next((model for model in models if model.signing_name == signing_name), None)

    async def _answer(self, call: _Call) -> Response:
        try:
            return await self._carry_out(call)
        except AwsError as error:
            return self._refuse(call, error)
        except ConnectionError:
            raise
        except Exception as cause:
            log_cause(call.request_id, "request failed", cause, path=call.request.path)
            return self._refuse(call, _our_mistake())

    async def _carry_out(self, call: _Call) -> Response:
        target, request, trace = call.target, call.request, call.trace
        if target.needs_body:
            limit = body_limit(target.service, target.protocol)
            target = self._settle(call, await _whole(request.body, limit))
        served = self._served.get(target) or self._make_ready(call, target)
        call.model, call.operation = served.model, served.operation
        trace.note_all(served.note)
        claim = call.claim or await self._authenticator.claim(
            request, served.signing_name, unsigned=served.takes_unsigned
        )
        caller, region = claim.principal, claim.region
        trace.note_all({"account": caller.account, "caller": caller.arn, "region": region})
        body: bytes | Body
        if claim.s3:
            body = await self._verified_by_s3(call, claim, served)
        else:
            content = call.body
            if content is None and type(request.body) is BytesBody:
                content = request.body.content
            if content is None or len(content) > served.limit_bytes:
                content = await request.body.read(served.limit_bytes)
            self._authenticator.verify_bytes(request, claim, content)
            body = BytesBody(content) if served.is_streamed else content
        members = served.read(call.read, body)
        ctx = Context(
            self._dispatcher,
            Scope(caller.account, region or DEFAULT_REGION),
            caller,
            call.request_id,
            trace,
            request,
        )
        name = served.operation.name
        if trace.parent_id:
            output = await run_traced(self._dispatcher, ctx, target.service, name, members)
        else:
            output = await self._dispatcher.run(ctx, target.service, name, members)
        if call.claim is not None and call.wants_json:
            return answer_in_json(served.operation.name, output, call.request_id)
        response = served.write(output, call.request_id)
        if served.compresses and (wanted := request.headers.first.get("accept-encoding")):
            await compress(response, accepted(wanted))
        return response

    def _make_ready(self, call: _Call, target: Target) -> _Served:
        """The operation that is asked for. Raises UnknownOperation or OperationNotImplemented."""
        call.model = model = self._catalog.service(target.service)
        name = target.operation or ""
        call.trace.note(service=target.service, operation=name, protocol=target.protocol)
        call.operation = operation = model.operation(name)
        declared = self._dispatcher.operation(target.service, name)
        if operation is None:
            raise UnknownOperation(f"Could not find operation {name}.")
        served = self._served[target] = _Served(target, model, operation, declared)
        return served

    def _settle(self, call: _Call, content: bytes) -> Target:
        """Find the operation of a query request in its body. Raises AwsError."""
        call.body = content
        settled = self._detector.settle(call.target, call.read, content)
        if settled is None:
            raise UnknownOperation("Could not find the operation.")
        call.target = settled
        return settled

    async def _verified_by_s3(self, call: _Call, claim: Claim, served: _Served) -> bytes | Body:
        """The body, once the signature has proved the caller. Raises AwsError."""
        body = self._authenticator.verify_s3(call.request, claim)
        if not served.is_streamed:
            content = await body.read(served.limit_bytes)
            if served.checks_document:
                check_document(call.read.headers, getattr(body, "trailers", {}), content)
        if claim.is_presigned:
            call.read = with_hoisted_headers(call.read)
        return body if served.is_streamed else content

    def _refuse(self, call: _Call, error: AwsError) -> Response:
        if isinstance(error, OperationNotImplemented):
            name = f"{call.target.service}.{call.target.operation}"
            log_line(logging.WARNING, "operation not implemented", operation=name)
        call.trace.note(error=error.code, error_message=error.message)
        response = render(
            error,
            call.model or self._catalog.service(call.target.service or self._some_query_service()),
            call.operation,
            call.target.protocol,
            call.request_id,
            resource_path=call.read.path,
        )
        if call.wants_json:
            return refuse_in_json(error, response, call.request_id)
        return response

    def _nobody(
        self, request: Request, signing_name: str, request_id: str, trace: Trace
    ) -> Response:
        """The answer to a request for a service that is not served here, in its own protocol."""
        known = _SERVICE_NAME.match(signing_name) and self._catalog.knows(signing_name)
        model = self._catalog.service(signing_name if known else self._some_query_service())
        error: AwsError = UnknownOperation("Could not find the operation.")
        if signing_name:
            log_line(logging.WARNING, "service not implemented", service=signing_name)
            error = OperationNotImplemented(
                f"The service {signing_name} is not implemented in Cumulet."
            )
        trace.note(service=signing_name, error=error.code, error_message=error.message)
        return render(
            error, model, None, model.protocols[0], request_id, resource_path=request.path
        )

    def _some_query_service(self) -> str:
        """The service whose form an answer takes when the request names none."""
        services = self._dispatcher.services
        return "sts" if "sts" in services or not services else next(iter(services))


async def _whole(body: Body, limit_bytes: int) -> bytes:
    """The bytes of a body, most of which came with their head. Raises RequestTooLarge."""
    if type(body) is BytesBody and len(body.content) <= limit_bytes:
        return body.content
    return await body.read(limit_bytes)


def _our_mistake() -> InternalFailure:
    return InternalFailure("The request processing has failed because of an unknown error.")
