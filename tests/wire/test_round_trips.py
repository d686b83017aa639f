"""Values made from the shapes of real services survive botocore's serializer and our reader, and
our writer and botocore's parser.
"""

from __future__ import annotations

import gzip
import json
import math
from base64 import b64encode
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from botocore.awsrequest import HeadersDict
from botocore.model import ServiceModel
from botocore.parsers import PROTOCOL_PARSERS
from botocore.serialize import SERIALIZERS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cumulet.core.http import BytesBody, Headers, Request
from cumulet.wire.codec import read_request, write_response
from cumulet.wire.detect import Detector

SERVICES = {
    "apigateway": ["CreateRestApi", "PutIntegration", "GetResources", "PutMethodResponse"],
    "bedrock-runtime": ["InvokeModel", "Converse"],
    "cloudformation": ["CreateStack", "DescribeStacks", "CreateChangeSet"],
    "cloudwatch": ["PutMetricData", "GetMetricData", "DescribeAlarms"],
    "cognito-idp": ["CreateUserPool", "InitiateAuth"],
    "dynamodb": ["PutItem", "Query", "BatchWriteItem", "CreateTable"],
    "iam": ["CreateRole", "GetUser", "ListUsers", "SimulateCustomPolicy"],
    "lambda": ["CreateFunction", "Invoke", "ListFunctions", "CreateEventSourceMapping"],
    "logs": ["PutLogEvents", "FilterLogEvents"],
    "s3": ["PutObject", "ListObjectsV2", "DeleteObjects", "PutBucketLifecycleConfiguration"],
    "sqs": ["SendMessage", "ReceiveMessage", "CreateQueue"],
    "ssm": ["PutParameter", "GetParametersByPath"],
    "sts": ["AssumeRole", "GetCallerIdentity"],
}
OPERATIONS = [
    pytest.param(service, name, id=f"{service}-{name}")
    for service, names in SERVICES.items()
    for name in names
]
BOTOCORE_PROTOCOLS = {"cbor": "smithy-rpc-v2-cbor"}

TEXT = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"
    ),
    min_size=1,
    max_size=12,
)
TOKEN = st.text("abcXYZ012-_.", min_size=1, max_size=12)
TIMES = st.integers(0, 4_000_000_000)
few = settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def values(shape, depth=0, *, is_payload=False):
    """A strategy for values of a shape; optional members are there or not."""
    match shape.type:
        case "structure":
            return structures(shape, depth)
        case "list":
            # Empty lists are lost in queries and in headers.
            return st.lists(values(shape.member, depth + 1), min_size=1, max_size=2)
        case "map":
            return st.dictionaries(TOKEN, values(shape.value, depth + 1), min_size=1, max_size=2)
        case "string" | "character":
            placed = shape.location in ("header", "headers", "uri", "querystring")
            enum = shape.traits.get("enum")
            return st.sampled_from(enum) if enum else (TOKEN if placed else TEXT)
        case "blob":
            # botocore's parser takes a raw body for text; only its client gives it as it is.
            return TOKEN.map(str.encode) if is_payload else st.binary(min_size=1, max_size=12)
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(-(2**31), 2**31 - 1)
        case "long":
            return st.integers(-(2**53), 2**53)
        case "timestamp":
            return TIMES
    return st.floats(allow_nan=False, allow_infinity=False, width=32)


def structures(shape, depth):
    if shape.is_document:
        return st.just({"any": ["thing", 1]})
    members = {}
    optional = {}
    for name, member in shape.members.items():
        if member.is_event_stream:
            continue
        if member.location == "headers":
            optional[name] = st.dictionaries(TOKEN.map(str.lower), TOKEN, min_size=1, max_size=2)
        elif name == shape.traits.get("payload"):
            members[name] = values(member, depth + 1, is_payload=True)
        elif name in shape.required or (member.location == "uri"):
            members[name] = values(member, depth + 1)
        elif depth < 2 or member.type not in ("structure", "list", "map"):
            optional[name] = values(member, depth + 1)
    if shape.traits.get("union"):
        every = {**members, **optional} or {
            name: values(one, depth) for name, one in list(shape.members.items())[:1]
        }
        return st.sampled_from(sorted(every)).flatmap(
            lambda name: st.fixed_dictionaries({name: every[name]})
        )
    if depth and not members and not optional:
        members = {name: values(one, depth + 1) for name, one in list(shape.members.items())[:1]}
    found = st.fixed_dictionaries(members, optional=optional)
    # A structure without members is lost in queries.
    return found.filter(bool) if depth and (members or optional) else found


def protocol_names(model):
    return [BOTOCORE_PROTOCOLS.get(name, name) for name in model.protocols]


def http_request(serialized):
    """The request that botocore would send."""
    body = serialized["body"]
    content = urlencode(body).encode() if isinstance(body, dict) else body
    content = content.encode() if isinstance(content, str) else content
    path, _, query = serialized["url_path"].partition("?")
    more = urlencode(serialized["query_string"] or {}, doseq=True)
    query = "&".join(piece for piece in (query, more) if piece)
    headers = Headers([(name, str(value)) for name, value in serialized["headers"].items()])
    return Request(serialized["method"], path, query, headers, BytesBody(content)), content


def comparable(value):
    """As our reader gives it: bodies as bytes."""
    if isinstance(value, BytesBody):
        return value.content
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [comparable(item) for item in value]
    return value


@pytest.fixture(scope="module")
def botocore_models(catalog):
    return {
        service: ServiceModel(json.loads(json.dumps(catalog.service(service).raw)), service)
        for service in SERVICES
    }


@pytest.fixture(scope="module")
def detector(catalog):
    return Detector(catalog, SERVICES)


@pytest.mark.parametrize(("service", "name"), OPERATIONS)
def test_what_a_client_sends_is_found_and_read(catalog, botocore_models, detector, service, name):
    model = catalog.service(service)
    operation = model.operation(name)

    @few
    @given(values(operation.input))
    def check(params):
        for protocol, botocore_name in zip(model.protocols, protocol_names(model), strict=True):
            if service == "sqs" and protocol == "query":
                continue
            serializer = SERIALIZERS[botocore_name](timestamp_precision="millisecond")
            botocore_operation = botocore_models[service].operation_model(name)
            request, body = http_request(
                serializer.serialize_to_request(params, botocore_operation)
            )
            target = detector.detect(request, model.signing_name)
            if target.needs_body:
                target = detector.settle(target, request, body)
            assert target == (service, name, protocol)
            members = comparable(read_request(model, operation, protocol, request, body))
            streamed = {operation.streaming_input: b""} if operation.streaming_input else {}
            # DynamoDB reads its attribute values itself, so they stay as JSON has them.
            expected = with_base64(params) if service == "dynamodb" else params
            assert members == {**streamed, **expected}

    check()


def with_base64(value):
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, dict):
        return {key: with_base64(item) for key, item in value.items()}
    return [with_base64(item) for item in value] if isinstance(value, list) else value


def parsed_values(value):
    """What botocore's parser gives, as operations give it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).timestamp()
    if isinstance(value, dict):
        return {key: parsed_values(item) for key, item in value.items()}
    if isinstance(value, list):
        return [parsed_values(item) for item in value]
    return value


def close(left, right):
    """Equal, with floats as near as their width allows."""
    if isinstance(left, float) or isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-6, abs_tol=1e-30)
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(close(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(close, left, right))
    return left == right


@pytest.mark.parametrize(("service", "name"), OPERATIONS)
def test_what_we_answer_is_parsed(catalog, botocore_models, service, name):
    model = catalog.service(service)
    operation = model.operation(name)
    if operation.output is None:
        assert write_response(model, operation, model.protocols[0], None, "id").body == b""
        return

    @few
    @given(values(operation.output))
    def check(output):
        for protocol, botocore_name in zip(model.protocols, protocol_names(model), strict=True):
            if service == "sqs" and protocol == "query":
                continue
            response = write_response(model, operation, protocol, output, "id")
            parser = PROTOCOL_PARSERS[botocore_name]()
            message = {
                "status_code": min(response.status, 299),
                "headers": HeadersDict(dict(response.headers)),
                "body": response.body,
                "context": {},
            }
            shape = botocore_models[service].operation_model(name).output_shape
            parsed = parsed_values(parser.parse(message, shape))
            payload = operation.output.traits.get("payload")
            if payload and operation.output.members[payload].type == "blob":
                parsed[payload] = parsed[payload].encode()
            told = parsed.pop("ResponseMetadata")
            assert told["RequestId"] == "id"
            expected = {
                key: (told["HTTPStatusCode"] if one.location == "statusCode" else output[key])
                for key, one in operation.output.members.items()
                if key in output or one.location == "statusCode"
            }
            parsed = {key: item for key, item in parsed.items() if item != {} or key in expected}
            assert close(parsed, expected)

    check()


def test_a_compressed_body_is_read(catalog):
    model = catalog.service("cloudwatch")
    operation = model.operation("PutMetricData")
    body = gzip.compress(b'{"Namespace": "n"}')
    request = Request("POST", "/", "", Headers([("content-encoding", "gzip")]), BytesBody(body))
    assert read_request(model, operation, "json", request, body) == {"Namespace": "n"}
