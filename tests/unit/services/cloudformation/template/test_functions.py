"""The intrinsic functions.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

import base64
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.template.functions import evaluate
from cumulet.services.cloudformation.template.scene import Made, Scene
from cumulet.services.cloudformation.template.values import NO_VALUE, Unknown

SCENE = Scene(
    values={
        "AWS::Region": "eu-west-1",
        "AWS::Partition": "aws",
        "Name": "blue",
        "Names": ["a", "b", "c"],
        "Count": "3",
    },
    mappings={"Sizes": {"eu-west-1": {"small": "t1", "all": ["x", "y"]}}},
    conditions={"Yes": True, "No": False},
    declared=frozenset(("Made", "Later")),
    made={"Made": Made("made-1", {"Arn": "arn:made", "Endpoint.Port": 80})},
    exports={"vpc": "vpc-1"},
    attributes={"Made": frozenset(("Arn", "Endpoint.Port")), "Later": None},
    extended=True,
)


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ({"Ref": "Name"}, "blue"),
        ({"Ref": "Names"}, ["a", "b", "c"]),
        ({"Ref": "Made"}, "made-1"),
        ({"Ref": "AWS::Region"}, "eu-west-1"),
        ({"Fn::GetAtt": ["Made", "Arn"]}, "arn:made"),
        ({"Fn::GetAtt": "Made.Endpoint.Port"}, 80),
        ({"Fn::Join": ["-", ["a", {"Ref": "Name"}, 1, True]]}, "a-blue-1-true"),
        ({"Fn::Join": ["", {"Ref": "Names"}]}, "abc"),
        ({"Fn::Join": [",", []]}, ""),
        ({"Fn::Join": [",", ["a", {"Ref": "AWS::NoValue"}, "b"]]}, "a,b"),
        ({"Fn::Sub": "${Name}/${Made.Arn}/${AWS::Region}/${!Literal}"}, None),
        ({"Fn::Sub": ["${x}-${Name}", {"x": {"Ref": "Count"}}]}, "3-blue"),
        ({"Fn::Sub": "no places"}, "no places"),
        ({"Fn::Select": ["1", {"Ref": "Names"}]}, "b"),
        ({"Fn::Select": [0, [{"Ref": "Name"}]]}, "blue"),
        ({"Fn::Split": ["|", "a||b"]}, ["a", "", "b"]),
        ({"Fn::Base64": "AWS"}, "QVdT"),
        ({"Fn::If": ["Yes", "a", {"Ref": "Nowhere"}]}, "a"),
        ({"Fn::If": ["No", "a", {"Ref": "Name"}]}, "blue"),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, "small"]}, "t1"),
        ({"Fn::FindInMap": ["Sizes", "mars", "small", {"DefaultValue": "none"}]}, "none"),
        ({"Fn::ImportValue": {"Fn::Sub": "vpc"}}, "vpc-1"),
        ({"Fn::GetAZs": ""}, ["eu-west-1a", "eu-west-1b", "eu-west-1c"]),
        ({"Fn::GetAZs": "us-east-1"}, ["us-east-1a", "us-east-1b", "us-east-1c"]),
        (
            {"Fn::Cidr": ["192.168.0.0/24", "3", "5"]},
            ["192.168.0.0/27", "192.168.0.32/27", "192.168.0.64/27"],
        ),
        ({"Fn::Length": {"Ref": "Names"}}, 3),
        ({"Fn::ToJsonString": {"a": [1, {"Ref": "Name"}]}}, '{"a":[1,"blue"]}'),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [1, {"Ref": "AWS::NoValue"}]}, {"b": [1]}),
        ({"Condition": {"StringEquals": {}}}, {"Condition": {"StringEquals": {}}}),
    ],
)
def test_a_function_gives(node, value):
    if value is None:
        value = "blue/arn:made/eu-west-1/${Literal}"
    assert evaluate(node, SCENE) == value


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ({"Ref": "Nowhere"}, "Unresolved resource dependencies [Nowhere] in the Resources block"),
        ({"Ref": ["Name"]}, "Every Ref object must have a single String"),
        ({"Fn::GetAtt": ["Gone", "Arn"]}, "Fn::GetAtt references undefined resource Gone"),
        ({"Fn::GetAtt": ["Made", "Size"]}, "resource Made does not support attribute type Size"),
        ({"Fn::GetAtt": ["Made"]}, "every Fn::GetAtt object requires two non-empty parameters"),
        ({"Fn::Join": ["-", "text"]}, "every Fn::Join object requires two parameters"),
        ({"Fn::Join": ["-", [["nested"]]]}, "every Fn::Join object requires two parameters"),
        ({"Fn::Split": ["", "text"]}, "every Fn::Split object requires two parameters"),
        ({"Fn::Select": ["7", ["a"]]}, "Fn::Select cannot select nonexistent value at index 7"),
        ({"Fn::Sub": "${a b}"}, "variable names in Fn::Sub syntax must contain only alphanumeric"),
        ({"Fn::Sub": ["${Names}", {}]}, "does not resolve to a string"),
        ({"Fn::Sub": {"a": 1}}, "don't specify expected arguments"),
        ({"Fn::FindInMap": ["Sizes", "mars", "small"]}, "get mapping for Sizes::mars::small"),
        ({"Fn::If": ["Maybe", 1, 2]}, "unresolved condition dependency Maybe"),
        ({"Fn::ImportValue": "nothing"}, "No export named nothing found."),
        ({"Fn::ImportValue": {"Ref": "Later"}}, "must not depend on any resources"),
        ({"Fn::Base64": ["x"]}, "every Fn::Base64 object must have a String-typed value."),
        ({"Fn::Cidr": ["192.168.0.0/24", "300", "5"]}, "Fn::Cidr"),
        ({"Fn::Nonsense": 1}, "Encountered unsupported function: Fn::Nonsense"),
        ({"Fn::Join": ["", []], "Other": 1}, "must be the only member"),
    ],
)
def test_a_wrong_function_is_refused_in_words(node, words):
    with pytest.raises(ValidationError, match=re.escape(words)):
        evaluate(node, SCENE)


@pytest.mark.parametrize(
    "node",
    [
        {"Ref": "Later"},
        {"Fn::Join": ["", ["a", {"Ref": "Later"}]]},
        {"Fn::Sub": "x${Later}"},
        {"Fn::Split": [",", {"Ref": "Later"}]},
        {"Fn::Select": [0, {"Fn::Split": [",", {"Ref": "Later"}]}]},
        {"Fn::Base64": {"Ref": "Later"}},
        {"Fn::ToJsonString": {"a": {"Ref": "Later"}}},
        {"Fn::If": ["Yes", {"Ref": "Later"}, 1]},
    ],
)
def test_what_is_not_made_yet_makes_the_value_unknown(node):
    assert evaluate(node, SCENE) == Unknown(frozenset({"Later"}))


def test_a_known_item_of_a_list_with_unknown_ones_is_known():
    node = {"Fn::Select": [1, [{"Ref": "Later"}, "known"]]}
    assert evaluate(node, SCENE) == "known"
    assert evaluate({"Ref": "AWS::NoValue"}, SCENE) is NO_VALUE


def test_extensions_need_their_transform():
    from dataclasses import replace

    with pytest.raises(ValidationError, match="AWS::LanguageExtensions"):
        evaluate({"Fn::Length": [1]}, replace(SCENE, extended=False))


_words = st.text(st.characters(exclude_characters="$|", exclude_categories=("Cs",)), max_size=8)


@settings(max_examples=80, deadline=None)
@given(st.lists(_words, min_size=1, max_size=6))
def test_split_undoes_join(items):
    joined = {"Fn::Join": ["|", items]}
    assert evaluate({"Fn::Split": ["|", joined]}, SCENE) == items
    for index, item in enumerate(items):
        assert evaluate({"Fn::Select": [index, {"Fn::Split": ["|", joined]}]}, SCENE) == item


@settings(max_examples=80, deadline=None)
@given(st.lists(_words, max_size=5))
def test_sub_is_join_without_a_mark(items):
    own = {f"v{n}": item for n, item in enumerate(items)}
    text = "".join(f"${{v{n}}}" for n in range(len(items)))
    assert evaluate({"Fn::Sub": [text, own]}, SCENE) == evaluate({"Fn::Join": ["", items]}, SCENE)


@settings(max_examples=50, deadline=None)
@given(_words)
def test_sub_leaves_text_without_places_alone(text):
    assert evaluate({"Fn::Sub": text}, SCENE) == text
    encoded = evaluate({"Fn::Base64": text}, SCENE)
    assert base64.b64decode(encoded).decode() == text
