"""Items as they are stored, and as callers inside the cloud see them."""

from cumulet.services.dynamodb.items.packing import (
    pack_item,
    packed_size,
    packed_sizes,
    plain_item,
    unpack_item,
)
from cumulet.services.dynamodb.items.values import check_item

ITEM = {
    "b": {"B": b"\0\1"},
    "s": {"BS": [b"1", b"2"]},
    "m": {"M": {"l": {"L": [{"B": b"x"}, {"N": "1"}]}}},
    "t": {"S": "ä"},
}


def test_a_stored_item_has_its_size_and_its_content():
    item = {"b": {"B": b"\0\1"}, "t": {"S": "ä"}}
    size = check_item(item)
    packed = pack_item(item, size)
    assert (packed_size(packed), unpack_item(packed)) == (size, item)
    assert packed_sizes([packed, packed]) == 2 * size


def test_callers_inside_give_and_get_bytes():
    item = {
        name: value if name != "m" else {"M": {"l": {"L": list(value["M"]["l"]["L"])}}}
        for name, value in ITEM.items()
    }
    item["b"], item["s"] = dict(ITEM["b"]), dict(ITEM["s"])
    item["m"]["M"]["l"]["L"][0] = {"B": b"x"}
    check_item(item)
    assert item["b"] == {"B": "AAE="}
    assert plain_item(item) == ITEM
