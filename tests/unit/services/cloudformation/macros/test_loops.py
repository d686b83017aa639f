"""`Fn::ForEach`.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html
"""

import re

import pytest

from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.macros.loops import expand_loops


def plain(node):
    return {"Ref:Names": ["a.x", "b"]}["Ref:Names"] if node == {"Ref": "Names"} else node


def test_a_loop_writes_resources_and_leaves_other_places_alone():
    raw = {
        "Resources": {
            "Fn::ForEach::Topics": [
                "Name",
                ["One", "Two"],
                {
                    "Topic${Name}": {
                        "Type": "T",
                        "Properties": {"N": {"Ref": "Name"}, "S": {"Fn::Sub": "${Name}-${Other}"}},
                    }
                },
            ],
            "Kept": {"Type": "T"},
        }
    }
    assert expand_loops(raw, plain) == {
        "Resources": {
            "TopicOne": {"Type": "T", "Properties": {"N": "One", "S": {"Fn::Sub": "One-${Other}"}}},
            "TopicTwo": {"Type": "T", "Properties": {"N": "Two", "S": {"Fn::Sub": "Two-${Other}"}}},
            "Kept": {"Type": "T"},
        }
    }


def test_loops_nest_and_names_can_be_cleaned():
    raw = {
        "Fn::ForEach::Outer": [
            "A",
            {"Ref": "Names"},
            {"Fn::ForEach::Inner": ["B", [1, 2], {"R&{A}${B}": "${A}"}]},
        ]
    }
    assert expand_loops({"Resources": raw}, plain) == {
        "Resources": {"Rax1": "a.x", "Rax2": "a.x", "Rb1": "b", "Rb2": "b"}
    }


@pytest.mark.parametrize(
    ("loop", "words"),
    [
        (["A", ["x"]], "requires a list of an identifier, a collection and an output map"),
        (["A-b", ["x"], {}], "is no identifier"),
        (["A", "x", {}], "the collection must be a list of strings"),
        (["A", ["x", "y"], {"Same": 1}], "it writes Same twice"),
        (["A", [str(n) for n in range(20_000)], {"R${A}": 1}], "it writes more than"),
    ],
)
def test_a_wrong_loop_is_refused(loop, words):
    with pytest.raises(ValidationError, match=re.escape(words)):
        expand_loops({"Resources": {"Fn::ForEach::L": loop}}, plain)
