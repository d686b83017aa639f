"""Whatever bytes come in, only errors that AWS says come out, and each in its protocol's words."""

from __future__ import annotations

import json
import zlib

import cbor2
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cumulet.core.errors import AwsError, MalformedRequest, RequestTooLarge
from cumulet.core.http import BytesBody, Headers, Request
from cumulet.wire.codec import read_request
from cumulet.wire.faults import render
from cumulet.wire.protocols.coding import DECODED_BYTES_MAX
from cumulet.wire.values.cbor_shapes import CBOR_DEPTH_MAX
from cumulet.wire.values.forms import FORM_PAIRS_MAX, KEY_DEPTH_MAX
from cumulet.wire.values.json_shapes import JSON_DEPTH_MAX
from cumulet.wire.values.xml_text import XML_DEPTH_MAX

OPERATIONS = [
    ("dynamodb", "PutItem", "json", "/"),
    ("sqs", "SendMessageBatch", "json", "/"),
    ("sqs", "SendMessageBatch", "query", "/"),
    ("iam", "CreateUser", "query", "/"),
    ("cloudwatch", "PutMetricData", "cbor", "/service/x/operation/PutMetricData"),
    ("lambda", "CreateFunction", "rest-json", "/2015-03-31/functions"),
    ("s3", "DeleteObjects", "rest-xml", "/bucket"),
    ("s3", "PutBucketLifecycleConfiguration", "rest-xml", "/bucket"),
]
SOUP = st.one_of(
    st.binary(max_size=200),
    st.text('{}[]":,\\nulltruefalse0123456789.eE+-TableNameItemSN ', max_size=120).map(str.encode),
    st.text("<>/=!?&;#xD[]CDATAObjectKey-\"' ", max_size=120).map(str.encode),
    st.text("&=.%+0123456789TagsmemberKeyValueEntries", max_size=120).map(str.encode),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
        max_leaves=10,
    ).map(lambda value: json.dumps(value).encode()),
)


def read(catalog, service, name, protocol, path, body, query="", headers=()):
    model = catalog.service(service)
    operation = model.operation(name)
    request = Request(operation.method, path, query, Headers(headers), BytesBody(body))
    return read_request(model, operation, protocol, request, body)


@pytest.mark.parametrize(("service", "name", "protocol", "path"), OPERATIONS)
def test_any_bytes_give_members_or_an_aws_error(catalog, service, name, protocol, path):
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(SOUP)
    @example(b"null")
    @example(b'{"Item": {"a": {"M": null}}}')
    @example(b"\xff\xfe<\x00")
    @example(b"a.1.2=3&a=4&a.b.c=%ff")
    def check(body):
        try:
            assert isinstance(read(catalog, service, name, protocol, path, body), dict)
        except AwsError as error:
            model = catalog.service(service)
            response = render(error, model, model.operation(name), protocol, "id")
            assert response.status in (400, 413)

    check()


@pytest.mark.parametrize(
    "body",
    [
        b'{"TableName": NaN}',
        b'{"TableName": "\xff"}',
        b'{"TableName": "a"',
        b"[]",
        b'"text"',
        b"{" * 100_000,
        b'{"Item": ' + b'{"a":' * 300 + b"1" + b"}" * 301,
    ],
)
def test_bad_json_is_a_serialization_error(catalog, body):
    with pytest.raises(MalformedRequest) as caught:
        read(catalog, "dynamodb", "PutItem", "json", "/", body)
    model = catalog.service("dynamodb")
    response = render(caught.value, model, model.operation("PutItem"), "json", "id")
    told = json.loads(response.body)
    assert told["__type"] == "com.amazon.coral.service#SerializationException"
    assert response.status == 400


def test_json_that_cannot_be_read_is_refused_without_a_word(catalog):
    # ScyllaDB's test_manual_requests.py, held against AWS: an error with no message.
    with pytest.raises(MalformedRequest) as caught:
        read(catalog, "dynamodb", "PutItem", "json", "/", b"{broken json")
    model = catalog.service("dynamodb")
    response = render(caught.value, model, model.operation("PutItem"), "json", "id")
    assert json.loads(response.body) == {
        "__type": "com.amazon.coral.service#SerializationException"
    }


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"TableName": 5}, "NUMBER_VALUE can not be converted to a String"),
        ({"TableName": True}, "TRUE_VALUE can not be converted to a String"),
        ({"TableName": {}}, "Start of structure or map found where not expected."),
        ({"TableName": []}, "Start of list found where not expected."),
        ({"Item": []}, "Unexpected token START_ARRAY, expected START_OBJECT"),
        ({"Item": "x"}, "Unexpected field type"),
    ],
)
def test_a_wrong_json_type_is_told(catalog, body, sentence):
    with pytest.raises(MalformedRequest) as caught:
        read(catalog, "dynamodb", "PutItem", "json", "/", json.dumps(body).encode())
    assert caught.value.message == sentence


def test_brackets_within_json_strings_are_not_depth(catalog):
    body = json.dumps({"TableName": "[" * JSON_DEPTH_MAX * 2 + '\\"{'}).encode()
    assert read(catalog, "dynamodb", "PutItem", "json", "/", body)


def test_the_deepest_item_that_dynamodb_takes_is_read(catalog):
    value = {"S": "x"}
    for _ in range(32):
        value = {"M": {"a": value}}
    body = json.dumps({"Item": {"a": value}}).encode()
    assert read(catalog, "dynamodb", "PutItem", "json", "/", body) == {"Item": {"a": value}}


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE Delete SYSTEM 'file:///etc/passwd'><Delete/>",
        b'<!DOCTYPE d [<!ENTITY a "aaaa">]><Delete><Object><Key>&a;</Key></Object></Delete>',
        b"<Delete><Object><Key>&other;</Key></Object></Delete>",
        b"<Delete><Object></Delete>",
        b"<Delete/><Delete/>",
        b"<Delete>\xff</Delete>",
        "<?xml version='1.0' encoding='utf-16'?><!DOCTYPE d><Delete/>".encode("utf-16"),
        b"<a>" * (XML_DEPTH_MAX + 1),
    ],
)
def test_bad_xml_is_malformed_xml(catalog, body):
    with pytest.raises(MalformedRequest) as caught:
        read(catalog, "s3", "DeleteObjects", "rest-xml", "/bucket", body)
    response = render(caught.value, catalog.service("s3"), None, "rest-xml", "id")
    assert (response.status, b"<Code>MalformedXML</Code>" in response.body) == (400, True)


def test_xml_is_read_with_and_without_its_name_space(catalog):
    plain = b"<Delete><Object><Key>a&amp;b</Key></Object><Quiet>true</Quiet></Delete>"
    spaced = plain.replace(b"<Delete>", b'<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">')
    for body in (plain, spaced):
        assert read(catalog, "s3", "DeleteObjects", "rest-xml", "/bucket", body) == {
            "Bucket": "bucket",
            "Delete": {"Objects": [{"Key": "a&b"}], "Quiet": True},
        }


@pytest.mark.parametrize(
    "body",
    [
        b"Tags.member.1=x",
        b"UserName.a=x",
        b"Tags=x",
        b"UserName=%ff",
        b"\xff",
        b"&".join([b"a=b"] * (FORM_PAIRS_MAX + 1)),
        b"a" + b".a" * KEY_DEPTH_MAX + b"=1",
        b"Tags.member.1.Key.Value=5",
    ],
)
def test_a_bad_form_is_malformed_input(catalog, body):
    with pytest.raises(MalformedRequest) as caught:
        read(catalog, "iam", "CreateUser", "query", "/", body)
    response = render(caught.value, catalog.service("iam"), None, "query", "id")
    assert (response.status, b"<Code>MalformedInput</Code>" in response.body) == (400, True)


def test_a_list_in_a_form_is_in_the_order_of_its_numbers(catalog):
    body = b"Tags.member.10.Key=b&Tags.member.2.Key=a&Tags.member.x.Key=c"
    members = read(catalog, "iam", "CreateUser", "query", "/", body)
    assert members == {"Tags": [{"Key": "a"}, {"Key": "b"}]}


@pytest.mark.parametrize(
    "body",
    [
        cbor2.dumps({"Namespace": 5}),
        cbor2.dumps({"MetricData": {}}),
        cbor2.dumps({"Namespace": cbor2.CBORTag(35, "(a+)+")}),
        cbor2.dumps({"MetricData": [{"Timestamp": "now"}]}),
        cbor2.dumps({"MetricData": [{"StorageResolution": 2**70}]}),
        cbor2.dumps([]),
        cbor2.dumps({"Namespace": "x"})[:-1],
        b"\x81" * (CBOR_DEPTH_MAX + 2) + b"\x00",
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x5b\x0f\xff\xff\xff\xff\xff\xff\xff",
        b"\xff",
    ],
)
def test_bad_cbor_is_a_serialization_error(catalog, body):
    path = "/service/GraniteServiceVersion20100801/operation/PutMetricData"
    with pytest.raises(MalformedRequest) as caught:
        read(catalog, "cloudwatch", "PutMetricData", "cbor", path, body)
    response = render(caught.value, catalog.service("cloudwatch"), None, "cbor", "id")
    assert cbor2.loads(response.body)["__type"].endswith("#SerializationException")


def test_cbor_of_indefinite_length_is_read(catalog):
    body = b"\xbf\x69Namespace\x7f\x61a\x61b\xff\xff"
    path = "/service/GraniteServiceVersion20100801/operation/PutMetricData"
    assert read(catalog, "cloudwatch", "PutMetricData", "cbor", path, body) == {"Namespace": "ab"}


@pytest.mark.parametrize("content", [b"no gzip", zlib.compress(b"{}", wbits=31)[:-3]])
def test_bad_gzip_is_malformed(catalog, content):
    with pytest.raises(MalformedRequest):
        read(
            catalog,
            "cloudwatch",
            "PutMetricData",
            "json",
            "/",
            content,
            headers=[("content-encoding", "gzip")],
        )


def test_a_gzip_bomb_is_too_large(catalog):
    content = zlib.compress(b" " * (DECODED_BYTES_MAX + 1), wbits=31)
    headers = [("content-encoding", "gzip")]
    with pytest.raises(RequestTooLarge):
        read(catalog, "cloudwatch", "PutMetricData", "json", "/", content, headers=headers)


@pytest.mark.parametrize(
    ("query", "is_read"), [("MaxItems=5", True), ("MaxItems=five", False), ("MaxItems=", False)]
)
def test_a_query_parameter_has_its_type(catalog, query, is_read):
    try:
        members = read(
            catalog, "lambda", "ListFunctions", "rest-json", "/2015-03-31/functions/", b"", query
        )
    except MalformedRequest:
        assert not is_read
    else:
        assert members == {"MaxItems": 5}
