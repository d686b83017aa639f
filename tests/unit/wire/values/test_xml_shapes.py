import pytest

from cumulet.core.errors import MalformedRequest
from cumulet.wire.model import ServiceModel
from cumulet.wire.values.xml_shapes import xml_reader, xml_writer
from cumulet.wire.values.xml_text import parse_xml

XSI = "http://www.w3.org/2001/XMLSchema-instance"
SHAPES = {
    "Text": {"type": "string"},
    "Number": {"type": "integer"},
    "Data": {"type": "blob"},
    "Texts": {"type": "list", "member": {"shape": "Text", "locationName": "T"}},
    "Flat": {"type": "list", "member": {"shape": "Number"}, "flattened": True},
    "Map": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Number"}},
    "FlatMap": {
        "type": "map",
        "key": {"shape": "Text", "locationName": "K"},
        "value": {"shape": "Number", "locationName": "V"},
        "flattened": True,
    },
    "Grantee": {
        "type": "structure",
        "members": {
            "Type": {"shape": "Text", "locationName": "xsi:type", "xmlAttribute": True},
            "Name": {"shape": "Text"},
        },
        "xmlNamespace": {"prefix": "xsi", "uri": XSI},
    },
    "All": {
        "type": "structure",
        "members": {
            "Text": {"shape": "Text", "locationName": "text"},
            "Number": {"shape": "Number"},
            "Data": {"shape": "Data"},
            "Texts": {"shape": "Texts"},
            "Flat": {"shape": "Flat", "locationName": "F"},
            "Map": {"shape": "Map"},
            "FlatMap": {"shape": "FlatMap", "locationName": "E"},
            "Grantee": {"shape": "Grantee"},
            "Child": {"shape": "All"},
        },
    },
}
VALUE = {
    "Text": "a<b",
    "Number": 5,
    "Data": b"\x00",
    "Texts": ["x", ""],
    "Flat": [1, 2],
    "Map": {"k": 1},
    "FlatMap": {"k": 2, "l": 3},
    "Grantee": {"Type": "Group", "Name": "n"},
    "Child": {"Child": {"Text": ""}},
}
TEXT = (
    "<All><text>a&lt;b</text><Number>5</Number><Data>AA==</Data><Texts><T>x</T><T></T></Texts>"
    "<F>1</F><F>2</F><Map><entry><key>k</key><value>1</value></entry></Map>"
    "<E><K>k</K><V>2</V></E><E><K>l</K><V>3</V></E>"
    f'<Grantee xmlns:xsi="{XSI}" xsi:type="Group"><Name>n</Name></Grantee>'
    "<Child><Child><text></text></Child></Child></All>"
)


@pytest.fixture(scope="module")
def shape():
    return ServiceModel("made", {}, lambda: {"shapes": SHAPES, "operations": {}}).shape("All")


def test_a_structure_is_written(shape):
    parts = []
    xml_writer(shape)(parts, "All", VALUE)
    assert "".join(parts) == TEXT


def test_a_structure_is_read(shape):
    assert xml_reader(shape)(parse_xml(TEXT.encode())) == VALUE


def test_unknown_elements_are_ignored_and_none_left_out(shape):
    assert xml_reader(shape)(parse_xml(b"<All><Other/><text>x</text></All>")) == {"Text": "x"}
    parts = []
    xml_writer(shape)(parts, "All", {"Text": None, "Number": 1})
    assert "".join(parts) == "<All><Number>1</Number></All>"


@pytest.mark.parametrize(
    "text", ["<Number/>", "<Number>x</Number>", "<F>1.5</F>", "<Data>*</Data>"]
)
def test_wrong_text_is_refused(shape, text):
    with pytest.raises(MalformedRequest):
        xml_reader(shape)(parse_xml(f"<All>{text}</All>".encode()))


def test_white_space_around_numbers_is_nothing(shape):
    assert xml_reader(shape)(parse_xml(b"<All><Number>\n 5 </Number></All>")) == {"Number": 5}
