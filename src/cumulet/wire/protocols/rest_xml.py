"""The bodies of rest-xml, and S3's few oddities in one named table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cumulet.core.http import Response
from cumulet.wire.model import OperationModel, Shape
from cumulet.wire.protocols.rest_input import Members, ReadBody, ReadRequest, compile_request
from cumulet.wire.protocols.rest_output import Output, WriteBody, WriteResponse, compile_response
from cumulet.wire.values.xml_shapes import (
    Parts,
    attributes_writer,
    members_reader,
    members_writer,
    text_formatter,
    xml_reader,
    xml_writer,
)
from cumulet.wire.values.xml_text import (
    NOT_BY_SCHEMA,
    MalformedXml,
    escape,
    local_name,
    parse_xml,
)

CONTENT_TYPE = "application/xml"
XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"

S3_ROOTS = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "CreateSession": "CreateSessionResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLocation": "LocationConstraint",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetObjectTagging": "Tagging",
    "ListBucketAnalyticsConfigurations": "ListBucketAnalyticsConfigurationResult",
    "ListBucketInventoryConfigurations": "ListInventoryConfigurationsResult",
    "ListBucketMetricsConfigurations": "ListMetricsConfigurationsResult",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListDirectoryBuckets": "ListAllMyDirectoryBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
}
"""The root elements of S3's answers, which its model does not tell: the response syntax of each
operation in https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""


def compile_reader(operation: OperationModel) -> ReadRequest:
    """How the operation's requests are read."""
    return compile_request(operation, _body_reader)


def compile_writer(operation: OperationModel) -> WriteResponse:
    """How the operation's answers are written."""
    is_s3 = operation.service.name == "s3"
    ids = s3_request_ids if is_s3 else _request_ids
    if is_s3 and operation.name == "GetBucketLocation":
        return _write_bucket_location

    def make_body(payload: Shape | None, members: dict[str, Shape]) -> tuple[str, WriteBody] | None:
        return _body_writer(operation, payload, members)

    return compile_response(operation, "rest-xml", ids, make_body)


def _request_ids(request_id: str) -> list[tuple[str, str]]:
    return [("x-amzn-requestid", request_id)]


def s3_host_id(request_id: str) -> str:
    """What S3 calls the host id: a second token for its operators; here made of the first."""
    return f"{request_id.replace('-', '')}="


def s3_request_ids(request_id: str) -> list[tuple[str, str]]:
    """S3's own names for the ids of a request."""
    return [("x-amz-request-id", request_id), ("x-amz-id-2", s3_host_id(request_id))]


def _write_bucket_location(values: Output, request_id: str) -> Response:
    """The root holds the region itself, and nothing for the first region."""
    region = values.get("LocationConstraint") or ""
    root = f'<LocationConstraint xmlns="{S3_NAMESPACE}">{escape(region)}</LocationConstraint>'
    headers = [*s3_request_ids(request_id), ("content-type", CONTENT_TYPE)]
    return Response(200, headers, (XML_HEAD + root).encode())


def _body_reader(payload: Shape | None, members: dict[str, Shape]) -> ReadBody:
    if payload is not None:
        (name,) = members
        read_value = xml_reader(payload)
        # Of S3 it is known that another root is refused; its model names the roots of requests.
        root_name = payload.root_name if payload.service.name == "s3" else ""

        def read_payload(body: bytes, result: Members) -> None:
            root = parse_xml(body)
            if root_name and local_name(root.tag) != root_name:
                raise MalformedXml(NOT_BY_SCHEMA)
            result[name] = read_value(root)

        return read_payload
    read_members = members_reader(members)

    def read(body: bytes, result: Members) -> None:
        result.update(read_members(parse_xml(body)))

    return read


def _body_writer(
    operation: OperationModel, payload: Shape | None, members: dict[str, Shape]
) -> tuple[str, WriteBody] | None:
    output = operation.output
    if not members or output is None:
        return None
    if payload is not None:
        (name,) = members
        root = payload.root_name
        write_root = xml_writer(payload)
        text = text_formatter(payload) if payload.type == "string" else None
        return CONTENT_TYPE, _payload_body(name, root, write_root, text)
    root = output.root_name
    if operation.service.name == "s3":
        root = S3_ROOTS.get(operation.name, root)
    return CONTENT_TYPE, _members_body(operation, root, members, _root_namespace(operation, output))


def _root_namespace(operation: OperationModel, output: Shape) -> str:
    found: Any = output.traits.get("xmlNamespace")
    uri = found.get("uri") if isinstance(found, dict) else found
    uri = uri or operation.service.xml_namespace
    if not uri and operation.service.name == "s3":
        uri = S3_NAMESPACE
    return f' xmlns="{escape(uri)}"' if uri else ""


def _payload_body(
    name: str,
    root: str,
    write_root: Callable[[Parts, str, Any], None],
    text: Callable[[Any], str] | None,
) -> WriteBody:
    def write(values: Output) -> bytes:
        parts = [XML_HEAD]
        write_root(parts, root, values[name])
        return "".join(parts).encode()

    return write


def _members_body(
    operation: OperationModel, root: str, members: dict[str, Shape], namespace: str
) -> WriteBody:
    write_members = members_writer(members)
    attributes = attributes_writer(members)
    tail = f"</{root}>"

    def write(values: Output) -> bytes:
        told = "" if attributes is None else attributes(values)
        parts = [f"{XML_HEAD}<{root}{namespace}{told}>"]
        write_members(parts, {key: values[key] for key in values if key in members})
        parts.append(tail)
        return "".join(parts).encode()

    return write
