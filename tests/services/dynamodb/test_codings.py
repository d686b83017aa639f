"""Compressed requests and answers.

What AWS answers: ScyllaDB's test_compressed_request.py and test_compressed_response.py, which are
held against AWS itself.
"""

import gzip
import json
import zlib

import pytest
from tests.journeys.raw import Call, send_signed

PACK = {"gzip": gzip.compress, "deflate": zlib.compress}
UNPACK = {"gzip": gzip.decompress, "deflate": zlib.decompress}


@pytest.fixture
def ask(cloud):
    def send(operation, request, **headers):
        body = request if isinstance(request, bytes) else json.dumps(request).encode()
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        told |= {
            "content-type": "application/x-amz-json-1.0",
            "x-amz-target": f"DynamoDB_20120810.{operation}",
        }
        return send_signed(cloud, Call("dynamodb", "POST", "/", told, body))

    return send


@pytest.mark.parametrize("coding", PACK)
def test_a_compressed_request_is_carried_out(ask, make, db, coding):
    table = make()
    request = {"TableName": table, "Item": {"p": {"S": "a"}, "v": {"S": "x" * 10_000}}}
    packed = PACK[coding](json.dumps(request).encode())
    assert ask("PutItem", packed, content_encoding=coding).status == 200
    assert db.get_item(TableName=table, Key={"p": {"S": "a"}})["Item"] == request["Item"]


@pytest.mark.parametrize("coding", [*PACK, "garbage"])
def test_a_request_that_is_not_compressed_as_it_says_fails_and_does_nothing(ask, make, db, coding):
    table = make()
    for body in ({"TableName": table, "Item": {"p": {"S": "a"}}}, b""):
        answer = ask("PutItem", body, content_encoding=coding)
        assert answer.status == 500
        assert answer.json["__type"].endswith("#InternalServerError")
    assert db.scan(TableName=table)["Count"] == 0


@pytest.mark.parametrize("coding", PACK)
@pytest.mark.parametrize("size", [5_000, 390_000])
def test_a_large_answer_is_compressed_for_who_asks(ask, make, db, coding, size):
    item = {"p": {"S": "a"}, "v": {"S": "x" * size}}
    key = {"TableName": make(), "Key": {"p": {"S": "a"}}}
    db.put_item(TableName=key["TableName"], Item=item)
    answer = ask("GetItem", key, accept_encoding=coding)
    assert answer.headers["content-encoding"] == coding
    assert int(answer.headers["content-length"]) == len(answer.body) < size / 10
    # The SDK for Java checks the bytes as they come.
    assert int(answer.headers["x-amz-crc32"]) == zlib.crc32(answer.body)
    assert json.loads(UNPACK[coding](answer.body)) == {"Item": item}
    assert "content-encoding" not in ask("GetItem", key, accept_encoding="identity").headers
    assert "content-encoding" not in ask("GetItem", key).headers


def test_a_small_answer_is_never_compressed(ask, make, db):
    item = {"p": {"S": "a"}, "v": {"S": "x" * 3_000}}
    key = {"TableName": make(), "Key": {"p": {"S": "a"}}}
    db.put_item(TableName=key["TableName"], Item=item)
    answer = ask("GetItem", key, accept_encoding="gzip")
    assert "content-encoding" not in answer.headers
    assert answer.json == {"Item": item}


def test_answers_tell_the_server(ask, make):
    assert ask("DescribeTable", {"TableName": make()}).headers["server"] == "Server"
    assert ask("DescribeTable", {"TableName": "absent"}).headers["server"] == "Server"
