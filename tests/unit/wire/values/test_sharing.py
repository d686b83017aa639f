from cumulet.wire.model import ServiceModel
from cumulet.wire.values.sharing import shared

SHAPES = {"Tree": {"type": "structure", "members": {"Child": {"shape": "Tree"}}}}


def test_a_closure_is_made_once_and_finds_itself():
    shape = ServiceModel("made", {}, lambda: {"shapes": SHAPES, "operations": {}}).shape("Tree")
    made = []

    def make():
        inner = shared("depth", shape, make)
        made.append(inner)
        return lambda value: 0 if value is None else 1 + inner(value.get("Child"))

    measure = shared("depth", shape, make)
    assert measure({"Child": {"Child": {}}}) == 3
    assert shared("depth", shape, make) is measure
    assert len(made) == 1
