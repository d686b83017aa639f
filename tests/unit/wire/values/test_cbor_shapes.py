import struct

import cbor2
import pytest

from cumulet.core.errors import MalformedRequest
from cumulet.wire.model import ServiceModel
from cumulet.wire.values.cbor_shapes import cbor_reader, cbor_writer, dump_cbor, parse_cbor

SHAPES = {
    "Text": {"type": "string"},
    "Number": {"type": "integer"},
    "Real": {"type": "double"},
    "Data": {"type": "blob"},
    "Time": {"type": "timestamp"},
    "Flag": {"type": "boolean"},
    "Sparse": {"type": "list", "member": {"shape": "Text"}, "sparse": True},
    "List": {"type": "list", "member": {"shape": "Time"}},
    "Map": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Data"}},
    "All": {
        "type": "structure",
        "members": {"Time": {"shape": "Time"}, "Child": {"shape": "All"}, "Map": {"shape": "Map"}},
    },
}


@pytest.fixture(scope="module")
def shape():
    return ServiceModel("made", {}, lambda: {"shapes": SHAPES, "operations": {}}).shape


@pytest.mark.parametrize(
    ("name", "told", "value"),
    [
        ("Text", "x", "x"),
        ("Number", 3.0, 3),
        ("Real", 3, 3.0),
        ("Data", b"x", b"x"),
        ("Flag", True, True),
        ("Time", cbor2.CBORTag(1, 1.5), 1.5),
        ("Time", cbor2.CBORTag(1, 5), 5),
        ("Time", 7, 7),
        ("Sparse", ["a", None], ["a", None]),
        ("List", [cbor2.CBORTag(1, 1), None], [1]),
        (
            "All",
            {"Child": {"Map": {"k": b"v", "n": None}}, "Other": 1},
            {"Child": {"Map": {"k": b"v"}}},
        ),
        ("All", {"Time": cbor2.undefined}, {}),
    ],
)
def test_values_are_read(shape, name, told, value):
    assert cbor_reader(shape(name))(parse_cbor(cbor2.dumps(told))) == value


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Text", b"x"),
        ("Text", 1),
        ("Number", 1.5),
        ("Number", True),
        ("Number", 2**40),
        ("Real", "1"),
        ("Data", "x"),
        ("Flag", 1),
        ("Time", "now"),
        ("Time", 1e300),
        ("List", {}),
        ("Map", []),
        ("Map", {1: b"x"}),
        ("All", []),
        ("All", cbor2.CBORTag(1, 1)),
    ],
)
def test_wrong_types_are_refused(shape, name, told):
    with pytest.raises(MalformedRequest):
        cbor_reader(shape(name))(parse_cbor(cbor2.dumps(told)))


@pytest.mark.parametrize("tag", [0, 2, 3, 4, 5, 30, 35, 37, 100, 258, 260, 1004, 43000, 99999])
def test_other_tags_are_refused(tag):
    for content in (b"\x01", b"\x61a", b"\x82\x01\x02"):
        with pytest.raises(MalformedRequest):
            parse_cbor(b"\xda" + struct.pack(">I", tag) + content)


def test_small_floats_are_read():
    assert parse_cbor(b"\xf9\x3c\x00") == 1.0
    assert parse_cbor(b"\xfa" + struct.pack(">f", 1.5)) == 1.5


def test_a_structure_is_written(shape):
    value = {"Time": 1.5, "Child": {"Time": 2.0, "Map": {"k": "text"}}, "Map": None}
    told = cbor2.loads(
        dump_cbor(cbor_writer(shape("All"))(value)), semantic_decoders={1: lambda found, _: found}
    )
    assert told == {"Time": 1.5, "Child": {"Time": 2, "Map": {"k": b"text"}}}
