from zlib import crc32

import pytest

from cumulet.core.errors import MalformedRequest
from cumulet.core.http import Request
from cumulet.wire.catalog import Catalog
from cumulet.wire.codec import read_request, write_response


def answer(catalog, service, name, output):
    model = catalog.service(service)
    return write_response(model, model.operation(name), "json", output, "id")


def test_dynamodb_tells_the_checksum_of_its_answer(catalog):
    response = answer(catalog, "dynamodb", "GetItem", {"Item": {"a": {"B": b"\x00"}}})
    headers = dict(response.headers)
    assert response.body == b'{"Item":{"a":{"B":"AA=="}}}'
    assert headers["x-amz-crc32"] == str(crc32(response.body))
    assert headers["content-type"] == "application/x-amz-json-1.0"


def test_an_operation_without_output_answers_nothing(catalog):
    response = answer(catalog, "logs", "CreateLogGroup", None)
    assert (response.status, response.body) == (200, b"")
    assert dict(response.headers)["content-type"] == "application/x-amz-json-1.1"


def test_an_operation_may_take_members_as_they_were_sent(tmp_path):
    model = Catalog(tmp_path).service("dynamodb")
    operation = model.operation("PutItem")
    operation.raw_members = ("Item", "Expected")

    def read(body):
        return read_request(model, operation, "json", Request("POST", "/"), body)

    body = b'{"TableName":"t", "Item": {"a": {"S": "\\u00e9"}}, "Expected": null}'
    assert read(body) == {"TableName": "t", "Item": b'{"a": {"S": "\\u00e9"}}'}
    assert read(b"") == {}
    for bad in (b"[]", b'{"Item": }', b'{"TableName": 5}', b'{"Item": ' + b"[" * 500):
        with pytest.raises(MalformedRequest):
            read(bad)


def test_an_empty_output_is_an_empty_object(catalog):
    assert answer(catalog, "ssm", "DeleteParameter", {}).body == b"{}"
