"""Each output that botocore's vectors tell is written, and read back by botocore's own parser."""

from __future__ import annotations

from copy import deepcopy

import pytest
from botocore.awsrequest import HeadersDict
from botocore.eventstream import EventStream
from botocore.model import NoShapeFoundError, OperationModel, ServiceModel
from botocore.parsers import PROTOCOL_PARSERS
from botocore.utils import parse_timestamp

from cumulet.core.errors import AwsError
from cumulet.wire.codec import write_response
from cumulet.wire.faults import render

_NAMES = "botocore looks for the name of what a flattened list holds before the list's own"
_UNSET = "botocore refuses the empty body that an unset union has"
_HEADERS = "botocore counts the headers of any answer among the members of a map without prefix"
_SPLIT = "botocore splits header lists at every comma, within dates and quotes too"
_EMPTY = "botocore reads a missing body as an empty one"
_UNKNOWN = "the output is what a client makes of a union member that it does not know"

NOT_APPLICABLE = {
    "output/ec2/Ec2XmlLists": _NAMES,
    "output/query/QueryXmlLists": _NAMES,
    "output/rest-xml/XmlLists": _NAMES,
    "output/rest-xml/BodyWithXmlName": "botocore gives a member the name of its structure",
    "output/rest-json/RestJsonHttpPayloadTraitsWithNoBlobBody": _EMPTY,
    "output/rest-xml/HttpPayloadTraitsWithNoBlobBody": _EMPTY,
    "output/rest-json/RestJsonHttpPayloadWithUnsetUnion": _UNSET,
    "output/rest-xml/RestXmlHttpPayloadWithUnsetUnion": _UNSET,
    "output/rest-json/HttpPrefixHeadersResponse": _HEADERS,
    "legacy/output/rest-json/9-0": _HEADERS,
    "output/rest-json/RestJsonInputAndOutputWithQuotedStringHeaders": _SPLIT,
    "output/rest-json/RestJsonInputAndOutputWithTimestampHeaders": _SPLIT,
    "output/rest-xml/InputAndOutputWithTimestampHeaders": _SPLIT,
    "legacy/output/rest-json/17-2": _UNKNOWN,
    "legacy/output/rest-xml/16-2": _UNKNOWN,
}
"""Vectors that our answers cannot be shown by, with the reason. This list may only shrink."""


class Raw:
    """A body as botocore's event streams read it."""

    def __init__(self, content):
        self._content = content

    def stream(self):
        yield self._content


async def whole(body):
    return body if isinstance(body, bytes) else b"".join([piece async for piece in body])


def run(awaitable):
    """Drive an awaitable that waits for nothing."""
    try:
        awaitable.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits")


def told(value):
    """As the vectors tell it: text for bytes, words for floats that have no digits."""
    if isinstance(value, dict):
        return {key: told(item) for key, item in value.items() if key != "ResponseMetadata"}
    if isinstance(value, list):
        return [told(item) for item in value]
    if isinstance(value, EventStream):
        return [told(event) for event in value]
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, float):
        words = {float("inf"): "Infinity", float("-inf"): "-Infinity"}
        return "NaN" if value != value else words.get(value, value)
    return value


def parser_of(model):
    def seconds(value):
        return parse_timestamp(value).timestamp()

    return PROTOCOL_PARSERS[model.metadata["protocol"]](timestamp_parser=seconds)


def message_of(vector, response):
    """The answer as botocore's parsers take it."""
    return {
        "status_code": response.status,
        "headers": HeadersDict(dict(response.headers)),
        "body": run(whole(response.body)),
        "context": {"operation_name": vector.case["given"]["name"]},
    }


def test_an_answer_is_parsed_as_the_output(output_vector):
    if output_vector.name in NOT_APPLICABLE:
        pytest.skip(NOT_APPLICABLE[output_vector.name])
    operation = output_vector.operation()
    response = write_response(
        operation.service, operation, output_vector.protocol, output_vector.output(), "id"
    )
    model = ServiceModel(deepcopy(output_vector.description()))
    botocore_operation = OperationModel(output_vector.case["given"], model)
    message = message_of(output_vector, response)
    if botocore_operation.has_event_stream_output:
        message["body"] = Raw(message["body"])
    shape = model.operation_model(output_vector.case["given"]["name"]).output_shape
    parsed = parser_of(model).parse(message, shape)
    assert told(parsed) == told(output_vector.expected_result())


def test_an_error_is_parsed_as_itself(error_vector):
    operation = error_vector.operation()
    case = error_vector.case
    shape = operation.service.shape(case["errorCode"])
    fields = {} if shape is None else error_vector.values_of(shape, case["error"])
    message = next((value for key, value in fields.items() if key.lower() == "message"), "")
    fields = {key: value for key, value in fields.items() if key.lower() != "message"}
    error = AwsError(message, code=case["errorCode"], **fields)
    protocol = error_vector.protocol
    response = render(error, operation.service, operation, protocol, "id")
    model = ServiceModel(deepcopy(error_vector.description()))
    parser = parser_of(model)
    reply = message_of(error_vector, response)
    parsed = parser.parse(reply, model.operation_model(case["given"]["name"]).output_shape)
    assert parsed["Error"]["Code"] == case["errorCode"]
    assert (parsed["Error"].get("Message") or "") == message
    try:
        modelled = parser.parse(reply, model.shape_for_error_code(case["errorCode"]))
    except NoShapeFoundError:
        modelled = {}
    expected = {key: value for key, value in case["error"].items() if key.lower() != "message"}
    assert {key: told(modelled.get(key)) for key in expected} == expected


def test_the_list_of_what_does_not_apply_only_shrinks(vector_names):
    assert len(NOT_APPLICABLE) <= 15
    assert vector_names("output") >= set(NOT_APPLICABLE)
