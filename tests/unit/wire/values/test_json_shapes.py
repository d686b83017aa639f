import math

import pytest

from cumulet.core.errors import MalformedRequest
from cumulet.wire.model import ServiceModel
from cumulet.wire.values.json_shapes import (
    JSON_DEPTH_MAX,
    dump_json,
    json_reader,
    json_writer,
    parse_json,
    parse_json_object,
)

SHAPES = {
    "Text": {"type": "string"},
    "Number": {"type": "integer"},
    "Long": {"type": "long"},
    "Real": {"type": "double"},
    "Flag": {"type": "boolean"},
    "Data": {"type": "blob"},
    "Time": {"type": "timestamp"},
    "IsoTime": {"type": "timestamp", "timestampFormat": "iso8601"},
    "Any": {"type": "structure", "members": {}, "document": True},
    "List": {"type": "list", "member": {"shape": "Number"}},
    "Sparse": {"type": "list", "member": {"shape": "Number"}, "sparse": True},
    "Map": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Tree"}},
    "SparseMap": {
        "type": "map",
        "key": {"shape": "Text"},
        "value": {"shape": "Text"},
        "sparse": True,
    },
    "Tree": {
        "type": "structure",
        "members": {
            "Name": {"shape": "Text", "locationName": "name"},
            "Data": {"shape": "Data"},
            "Children": {"shape": "Trees"},
        },
    },
    "Trees": {"type": "list", "member": {"shape": "Tree"}},
}


@pytest.fixture(scope="module")
def shape():
    return ServiceModel("made", {}, lambda: {"shapes": SHAPES, "operations": {}}).shape


@pytest.mark.parametrize(
    ("name", "told", "value"),
    [
        ("Text", "x", "x"),
        ("Number", 5, 5),
        ("Number", 5.0, 5),
        ("Long", 2**62, 2**62),
        ("Real", 1, 1.0),
        ("Real", "Infinity", math.inf),
        ("Flag", False, False),
        ("Data", "AAE=", b"\x00\x01"),
        ("Time", 1.5, 1.5),
        ("Time", "1970-01-01T00:00:01Z", 1),
        ("Any", {"a": [None]}, {"a": [None]}),
        ("List", [1, None, 2], [1, 2]),
        ("Sparse", [1, None], [1, None]),
        ("SparseMap", {"a": None, "b": "x"}, {"a": None, "b": "x"}),
        ("Map", {"a": None, "b": {"name": "n"}}, {"b": {"Name": "n"}}),
        ("Tree", {"name": "a", "Other": 1, "Data": None}, {"Name": "a"}),
        ("Tree", {"name": "a"}, {"Name": "a"}),
        ("Tree", {"Name": "a"}, {}),
        (
            "Tree",
            {"Children": [{"Children": [{"name": "x", "Data": "AA=="}]}]},
            {"Children": [{"Children": [{"Name": "x", "Data": b"\x00"}]}]},
        ),
    ],
)
def test_values_are_read(shape, name, told, value):
    assert json_reader(shape(name))(told) == value


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Text", 1),
        ("Text", None),
        ("Number", "1"),
        ("Number", True),
        ("Number", 2**31),
        ("Number", math.nan),
        ("Long", 2**63),
        ("Long", 1e300),
        ("Real", "x"),
        ("Real", True),
        ("Flag", 0),
        ("Flag", "true"),
        ("Data", 1),
        ("Data", "*"),
        ("Time", True),
        ("Time", []),
        ("List", {}),
        ("Map", []),
        ("Map", {"a": 1}),
        ("Tree", "x"),
        ("Tree", {"name": 1}),
    ],
)
def test_wrong_types_are_refused(shape, name, told):
    with pytest.raises(MalformedRequest):
        json_reader(shape(name))(told)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("Text", "é", '"é"'),
        ("Real", math.nan, '"NaN"'),
        ("Data", b"\x00", '"AA=="'),
        ("Time", 1.0, "1"),
        ("IsoTime", 1, '"1970-01-01T00:00:01Z"'),
        ("Sparse", [1, None], "[1,null]"),
        ("Map", {"a": {"Name": "n", "Data": None}}, '{"a":{"name":"n"}}'),
        ("Trees", [{"Children": [{"Name": "x"}]}], '[{"Children":[{"name":"x"}]}]'),
        ("Any", {"a": [None]}, '{"a":[null]}'),
    ],
)
def test_values_are_written(shape, name, value, text):
    write = json_writer(shape(name))
    assert dump_json(value if write is None else write(value)).decode() == text


def test_a_recursive_shape_is_compiled_once(shape):
    assert json_reader(shape("Tree")) is json_reader(shape("Tree"))


def test_an_empty_body_is_an_empty_object():
    assert parse_json_object(b"") == {}


def test_depth_is_bounded():
    good = b"[" * JSON_DEPTH_MAX + b"]" * JSON_DEPTH_MAX
    assert parse_json(good)
    assert len(parse_json(b"[" + b"[]," * 500 + b"[]]")) == 501
    with pytest.raises(MalformedRequest):
        parse_json(b"[" + good + b"]")
