"""Each request that botocore's vectors say a client sends is read as the parameters it was of."""

from __future__ import annotations

import pytest

from cumulet.wire.codec import read_request

_NO_BODY = "it tells only the headers of a compressed request: the body is in test_codec.py"
_FILLED = "the client sends an empty object for a payload that is not given"

NOT_APPLICABLE = {
    "input/json/SDKAppliedContentEncoding_awsJson1_1": _NO_BODY,
    "input/json/SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_1": _NO_BODY,
    "input/json_1_0/SDKAppliedContentEncoding_awsJson1_0": _NO_BODY,
    "input/json_1_0/SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_0": _NO_BODY,
    "input/query/SDKAppliedContentEncoding_awsQuery": _NO_BODY,
    "input/query/SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsQuery": _NO_BODY,
    "input/ec2/SDKAppliedContentEncoding_ec2Query": _NO_BODY,
    "input/ec2/SDKAppendsGzipAndIgnoresHttpProvidedEncoding_ec2Query": _NO_BODY,
    "input/ec2/Ec2EmptyQueryLists": "the client does not send an empty list",
    "input/rest-json/SDKAppliedContentEncoding_restJson1": _NO_BODY,
    "input/rest-json/SDKAppendedGzipAfterProvidedEncoding_restJson1": _NO_BODY,
    "input/rest-xml/SDKAppliedContentEncoding_restXml": _NO_BODY,
    "input/rest-xml/SDKAppendedGzipAfterProvidedEncoding_restXml": _NO_BODY,
    "input/query/QueryEmptyQueryMaps": "the client does not send an empty map",
    "input/rest-json/MediaTypeHeaderInputBase64": (
        "it gives the text of a JSON value, where botocore's clients give the value"
    ),
    "input/rest-json/RestJsonHttpWithEmptyStructurePayload": _FILLED,
    "input/rest-json/RestJsonHttpWithHeadersButNoPayload": _FILLED,
    "legacy/input/rest-json/13-1": _FILLED,
    "legacy/input/rest-json/25-2": _FILLED,
    "legacy/input/rest-json/25-4": _FILLED,
    "legacy/input/rest-json/25-7": "the client sends a content type that is not given",
}
"""Vectors that do not hold for a server, with the reason. This list may only shrink."""


def test_a_request_is_read_as_its_parameters(input_vector):
    if input_vector.name in NOT_APPLICABLE:
        pytest.skip(NOT_APPLICABLE[input_vector.name])
    operation = input_vector.operation()
    request, body = input_vector.request()
    members = read_request(operation.service, operation, input_vector.protocol, request, body)
    assert input_vector.comparable(members) == input_vector.parameters()


def test_the_list_of_what_does_not_apply_only_shrinks(vector_names):
    assert len(NOT_APPLICABLE) <= 21
    assert vector_names("input") >= set(NOT_APPLICABLE)
