"""Errors as answers: the only place with the status, headers and body of one, in any protocol."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from zlib import crc32

from cumulet.core.errors import (
    AccessDenied,
    AwsError,
    ConstraintViolation,
    Generic,
    MalformedRequest,
    RequestExpired,
)
from cumulet.core.http import Response
from cumulet.wire.model import OperationModel, ServiceModel, Shape
from cumulet.wire.protocols import rpc_cbor
from cumulet.wire.protocols.aws_json import SERVER, has_checksum
from cumulet.wire.protocols.fault_names import (
    CORAL_SERVICES,
    QUERY,
    SERVICE_SPACE,
    VALIDATE_SPACE,
    Spelling,
    spelling,
)
from cumulet.wire.protocols.rest_output import header_formatter
from cumulet.wire.protocols.rest_xml import XML_HEAD, s3_host_id, s3_request_ids
from cumulet.wire.values.cbor_shapes import cbor_members_writer, dump_cbor
from cumulet.wire.values.json_shapes import dump_json, members_writer
from cumulet.wire.values.scalars import MalformedNumber
from cumulet.wire.values.xml_shapes import members_writer as xml_members_writer
from cumulet.wire.values.xml_text import MalformedXml, escape

HeaderList = list[tuple[str, str]]

_BODILESS = (204, 304)
_QUERY_CODES = ("query", "ec2", "rest-xml")
"""Protocols that tell the code of an error shape, not its name."""

_NO_INTEGER = "Provided {} not an integer or within integer range"
_NO_PART = "Part number must be an integer between 1 and 10000, inclusive"
"""Numbers that S3 cannot read. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""


class _Fault(NamedTuple):
    """What is told of an error, before a protocol gives it its form."""

    code: str
    query_code: str
    status: int
    message: str
    shape: Shape | None
    fields: dict[str, Any]
    error: AwsError

    @property
    def side(self) -> str:
        return "Receiver" if self.status >= 500 else "Sender"


def render(
    error: AwsError,
    model: ServiceModel,
    operation: OperationModel | None,
    protocol: str,
    request_id: str,
    *,
    resource_path: str = "",
) -> Response:
    """The answer for an error.

    `resource_path` is the path that S3 tells as `Resource`. The answer to a HEAD request has no
    body, which only an operation can tell; without one that is up to the caller.
    """
    fault = _describe(error, model, operation, protocol)
    match protocol:
        case "query":
            response = _query(fault, model, request_id)
        case "ec2":
            response = _ec2(fault, request_id)
        case "json":
            response = _json(fault, model, request_id)
        case "cbor":
            response = _cbor(fault, model, request_id)
        case "rest-json":
            response = _rest_json(fault, model, request_id)
        case _:
            response = _rest_xml(fault, model, request_id, resource_path)
    response.headers.extend((name.lower(), value) for name, value in error.headers.items())
    if fault.status in _BODILESS:
        response.headers = [pair for pair in response.headers if pair[0] != "content-type"]
    if fault.status in _BODILESS or (operation is not None and operation.method == "HEAD"):
        response.body = b""
    return response


def _describe(
    error: AwsError, model: ServiceModel, operation: OperationModel | None, protocol: str
) -> _Fault:
    if isinstance(error, Generic) and error.code == type(error).__name__:
        return _describe_generic(error, model, protocol)
    shape = _error_shape(model, operation, error.code)
    traits = {} if shape is None else shape.traits.get("error") or {}
    query_code = traits.get("code") or error.code
    status = error.http_status
    if status is None:
        is_fault = error.fault == "server" or bool(shape is not None and shape.traits.get("fault"))
        status = traits.get("httpStatusCode") or (500 if is_fault else 400)
    code = query_code if protocol in _QUERY_CODES else error.code
    if shape is not None and protocol not in _QUERY_CODES:
        code = shape.name
    return _Fault(code, query_code, status, error.message, shape, error.fields, error)


def _describe_generic(error: Generic, model: ServiceModel, protocol: str) -> _Fault:
    name = _exact_spelling(error, model, protocol)
    own_status = error.http_status is not None and error.http_status != type(error).status
    status = error.http_status if own_status and error.http_status is not None else name.status
    message = name.message or error.message
    if not message and isinstance(error, AccessDenied):
        message = "Access Denied"
    fields = error.fields
    if protocol == "rest-xml" and isinstance(error, MalformedNumber):
        message = _NO_PART if error.name == "partNumber" else _NO_INTEGER.format(error.name)
        fields = {"ArgumentName": error.name, "ArgumentValue": error.text}
    query_code = next(
        (QUERY[kind].code for kind in type(error).__mro__ if kind in QUERY), name.code
    )
    shape = _error_shape(model, None, name.code) if protocol == "rest-json" else None
    return _Fault(name.code, query_code, status, message, shape, fields, error)


def _exact_spelling(error: Generic, model: ServiceModel, protocol: str) -> Spelling:
    if protocol == "rest-xml":
        if isinstance(error, AccessDenied) and error.message.startswith("User: * "):
            return Spelling("AccessDenied", 403, "Access Denied")
        if isinstance(error, MalformedXml):
            return Spelling("MalformedXML", 400)
        if isinstance(error, MalformedNumber):
            return Spelling("InvalidArgument", 400)
        if isinstance(error, RequestExpired) and error.message.startswith("Request has expired"):
            return Spelling("AccessDenied", 403)
    return spelling(error, model.name, protocol)


def _error_shape(model: ServiceModel, operation: OperationModel | None, code: str) -> Shape | None:
    """The error shape of that name, or with that code in the query protocol."""
    shape = model.shape(code)
    if shape is not None and shape.traits.get("exception"):
        return shape
    listed = operation.errors if operation is not None else []
    return next((one for one in listed if one.traits.get("error", {}).get("code") == code), None)


def _message_name(fault: _Fault, default: str) -> str:
    if fault.shape is not None:
        for name, member in fault.shape.members.items():
            if name.lower() == "message":
                return member.wire_name(name)
    return default


def _known_fields(fault: _Fault) -> Iterator[tuple[str, Shape, Any]]:
    """The fields that the error's shape has, its message apart."""
    if fault.shape is None:
        return
    for name, member in fault.shape.members.items():
        value = fault.fields.get(name)
        if value is not None and name.lower() != "message":
            yield name, member, value


def _body_fields(fault: _Fault) -> dict[str, tuple[Shape, Any]]:
    return {
        name: (member, value)
        for name, member, value in _known_fields(fault)
        if member.location not in ("header", "headers", "statusCode")
    }


def _header_fields(fault: _Fault) -> HeaderList:
    return [
        (member.wire_name(name).lower(), header_formatter(member)(value))
        for name, member, value in _known_fields(fault)
        if member.location == "header"
    ]


def _query(fault: _Fault, model: ServiceModel, request_id: str) -> Response:
    namespace = f' xmlns="{escape(model.xml_namespace)}"' if model.xml_namespace else ""
    parts = [
        f"<ErrorResponse{namespace}><Error><Type>{fault.side}</Type>"
        f"<Code>{escape(fault.code)}</Code><Message>{escape(fault.message)}</Message>"
    ]
    _xml_fields(parts, fault)
    parts.append(f"</Error><RequestId>{request_id}</RequestId></ErrorResponse>")
    headers = [("x-amzn-requestid", request_id), ("content-type", "text/xml")]
    return Response(fault.status, headers, "".join(parts).encode())


def _ec2(fault: _Fault, request_id: str) -> Response:
    parts = [
        f"{XML_HEAD}<Response><Errors><Error><Code>{escape(fault.code)}</Code>"
        f"<Message>{escape(fault.message)}</Message>"
    ]
    _xml_fields(parts, fault)
    parts.append(f"</Error></Errors><RequestID>{request_id}</RequestID></Response>")
    headers = [("x-amzn-requestid", request_id), ("content-type", "text/xml")]
    return Response(fault.status, headers, "".join(parts).encode())


def _xml_fields(parts: list[str], fault: _Fault) -> None:
    fields = _body_fields(fault)
    write = xml_members_writer({name: member for name, (member, _) in fields.items()})
    write(parts, {name: value for name, (_, value) in fields.items()})


def _json_members(fault: _Fault) -> dict[str, Any]:
    fields = _body_fields(fault)
    write = members_writer({name: member for name, (member, _) in fields.items()})
    members: dict[str, Any] = write({name: value for name, (_, value) in fields.items()})
    return members


def _type_of(fault: _Fault, model: ServiceModel) -> str:
    """`__type`, with the name space that the service's errors have."""
    space = CORAL_SERVICES.get(model.name)
    if space is None:
        return fault.code
    if isinstance(fault.error, ConstraintViolation) or fault.code == "ValidationException":
        return f"{VALIDATE_SPACE}#{fault.code}"
    if isinstance(fault.error, Generic):
        return f"{SERVICE_SPACE}#{fault.code}"
    return f"{space}#{fault.code}"


def _query_error(fault: _Fault, model: ServiceModel) -> HeaderList:
    """The older code of an error, for clients that knew the service by the query protocol."""
    if not model.query_compatible:
        return []
    return [("x-amzn-query-error", f"{fault.query_code};{fault.side}")]


def _json(fault: _Fault, model: ServiceModel, request_id: str) -> Response:
    default = "Message" if isinstance(fault.error, AccessDenied | MalformedRequest) else "message"
    body = {"__type": _type_of(fault, model), **_json_members(fault)}
    if fault.message:
        body[_message_name(fault, default)] = fault.message
    content = dump_json(body)
    headers = [
        ("x-amzn-requestid", request_id),
        ("content-type", f"application/x-amz-json-{model.json_version}"),
        *_query_error(fault, model),
    ]
    if has_checksum(model.name):
        headers.append(("x-amz-crc32", str(crc32(content))))
        headers.append(SERVER)
    return Response(fault.status, headers, content)


def _cbor(fault: _Fault, model: ServiceModel, request_id: str) -> Response:
    fields = _body_fields(fault)
    write = cbor_members_writer({name: member for name, (member, _) in fields.items()})
    body = {
        "__type": _type_of(fault, model),
        **write({name: value for name, (_, value) in fields.items()}),
        _message_name(fault, "message"): fault.message,
    }
    headers = [
        ("x-amzn-requestid", request_id),
        rpc_cbor.PROTOCOL_HEADER,
        ("content-type", rpc_cbor.CONTENT_TYPE),
        *_query_error(fault, model),
    ]
    return Response(fault.status, headers, dump_cbor(body))


def _rest_json(fault: _Fault, model: ServiceModel, request_id: str) -> Response:
    default = "Message" if model.name == "lambda" else "message"
    body = _json_members(fault)
    if fault.shape is not None and "Type" in fault.shape.members:
        body.setdefault("Type", "Service" if fault.status >= 500 else "User")
    body[_message_name(fault, default)] = fault.message
    headers = [
        ("x-amzn-requestid", request_id),
        ("x-amzn-errortype", fault.code),
        ("content-type", "application/json"),
        *_header_fields(fault),
    ]
    return Response(fault.status, headers, dump_json(body))


def _rest_xml(fault: _Fault, model: ServiceModel, request_id: str, resource_path: str) -> Response:
    if model.name != "s3":
        response = _query(fault, model, request_id)
        response.headers.extend(_header_fields(fault))
        return response
    parts = [
        f"{XML_HEAD}<Error><Code>{escape(fault.code)}</Code>"
        f"<Message>{escape(fault.message)}</Message>"
    ]
    parts += (
        f"<{name}>{escape(str(value))}</{name}>"
        for name, value in fault.fields.items()
        if value is not None
    )
    if resource_path and "Resource" not in fault.fields:
        parts.append(f"<Resource>{escape(resource_path)}</Resource>")
    parts.append(
        f"<RequestId>{request_id}</RequestId><HostId>{s3_host_id(request_id)}</HostId></Error>"
    )
    headers = [*s3_request_ids(request_id), ("content-type", "application/xml")]
    return Response(fault.status, headers, "".join(parts).encode())
