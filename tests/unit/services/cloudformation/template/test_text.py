"""The text of a template: both languages, short tags, and what is refused."""

import json
import re
import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.template.text import parse_text, parse_yaml


def test_short_tags_become_the_long_forms():
    text = """
    A: !Ref X
    B: !GetAtt X.Y.Z
    C: !Sub "${A}-b"
    D: !Join [",", [!Ref X, !If [C, !Ref "AWS::NoValue", 2]]]
    E: !Base64
      Fn::Sub: hello
    F: !Condition IsProd
    G: !GetAtt [X, Y]
    """
    assert parse_text(text) == {
        "A": {"Ref": "X"},
        "B": {"Fn::GetAtt": ["X", "Y.Z"]},
        "C": {"Fn::Sub": "${A}-b"},
        "D": {"Fn::Join": [",", [{"Ref": "X"}, {"Fn::If": ["C", {"Ref": "AWS::NoValue"}, 2]}]]},
        "E": {"Fn::Base64": {"Fn::Sub": "hello"}},
        "F": {"Condition": "IsProd"},
        "G": {"Fn::GetAtt": ["X", "Y"]},
    }


def test_dates_stay_text_and_keys_are_text():
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
    found = parse_text("AWSTemplateFormatVersion: 2010-09-09\n200: a\nV: '3'\nN: 3\nT: true")
    assert found == {
        "AWSTemplateFormatVersion": "2010-09-09",
        "200": "a",
        "V": "3",
        "N": 3,
        "T": True,
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\na: 2", "Duplicate key"),
        ('{"a": 1, "a": 2}', "duplicate key"),
        ("a: &x 1\nb: *x", "YAML aliases are not allowed"),
        ("a: [1", "YAML not well-formed. (line 2, column 1)"),
        ('{"a": }', "JSON not well-formed. (line 1, column 7)"),
        ('{"a": NaN}', "JSON not well-formed"),
        ("- a", "unsupported structure"),
        ("", "unsupported structure"),
        ("a: !Unheard 1", "Unknown tag !Unheard"),
        ("a: !!python/object/apply:os.system [x]", "Unknown tag"),
        ("a: 1\n---\nb: 2", "more than one document"),
        ("? [a]\n: 1", "A key must be a text"),
        ("a:\n  <<: {b: 1}", "Merge keys are not supported"),
        ("a: " + "[" * 400, "nested deeper"),
        ('{"a":' * 200_000, "nested deeper"),
    ],
)
def test_what_is_no_template_is_refused_in_words(text, words):
    with pytest.raises(ValidationError, match=re.escape(words)):
        parse_text(text)


def test_a_billion_laughs_cost_nothing():
    laughs = "\n".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" if n else "a0: &a0 lol" for n in range(10)
    )
    begun = time.perf_counter()
    with pytest.raises(ValidationError):
        parse_text(laughs)
    assert time.perf_counter() - begun < 1


_plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=6), _plain, max_size=4))
def test_json_and_yaml_of_a_value_read_as_that_value(value):
    assert parse_text(json.dumps(value)) == value
    safe = json.loads(json.dumps(value).replace("<<", "--"))
    dumped = yaml.safe_dump(safe)
    assert parse_yaml(dumped) == safe
