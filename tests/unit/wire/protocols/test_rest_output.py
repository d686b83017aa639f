import pytest

from cumulet.wire.codec import write_response
from cumulet.wire.model import ServiceModel
from cumulet.wire.protocols.rest_output import header_formatter


def answer(catalog, service, name, output):
    model = catalog.service(service)
    return write_response(model, model.operation(name), model.protocols[0], output, "id")


@pytest.mark.parametrize(
    ("traits", "value", "text"),
    [
        ({"type": "boolean"}, True, "true"),
        ({"type": "integer"}, 5, "5"),
        ({"type": "double"}, float("inf"), "Infinity"),
        ({"type": "timestamp"}, 0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        ({"type": "timestamp", "timestampFormat": "iso8601"}, 0, "1970-01-01T00:00:00Z"),
        ({"type": "blob"}, b"\x00", "AA=="),
        ({"type": "list", "member": {"shape": "T"}}, ["a", 'b"', None, "c,d"], 'a, "b\\"", "c,d"'),
        ({"type": "string", "jsonvalue": True, "location": "header"}, {"a": 1}, "eyJhIjoxfQ=="),
    ],
)
def test_header_values(traits, value, text):
    shapes = {"S": traits, "T": {"type": "string"}}
    shape = ServiceModel("made", {}, lambda: {"shapes": shapes, "operations": {}}).shape("S")
    assert header_formatter(shape)(value) == text


def test_the_models_status_is_the_status(catalog):
    assert answer(catalog, "lambda", "CreateFunction", {"FunctionName": "f"}).status == 201
    response = answer(catalog, "lambda", "DeleteAlias", None)
    assert (response.status, response.body) == (204, b"")


def test_an_answer_without_payload_has_no_type(catalog):
    response = answer(catalog, "lambda", "Invoke", {"StatusCode": 204})
    assert (response.status, response.body) == (204, b"")
    assert "content-type" not in dict(response.headers)


def test_the_members_type_is_the_type(catalog):
    output = {"Body": b"x", "ContentType": "text/css", "LastModified": 0}
    headers = dict(answer(catalog, "s3", "GetObject", output).headers)
    assert headers["content-type"] == "text/css"
    assert headers["last-modified"] == "Thu, 01 Jan 1970 00:00:00 GMT"
