import pytest

from cumulet.core.errors import MalformedRequest
from cumulet.wire.values.forms import (
    FORM_PAIRS_MAX,
    decode_component,
    decode_form,
    parameter_tree,
    parse_pairs,
)


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", []),
        ("a", [("a", "")]),
        ("a=&b=1=2", [("a", ""), ("b", "1=2")]),
        ("a+b=%26+c&&a=%C3%A9", [("a b", "& c"), ("a", "é")]),
        ("a=%zz", [("a", "%zz")]),
    ],
)
def test_pairs(text, pairs):
    assert parse_pairs(text) == pairs


@pytest.mark.parametrize("text", ["a=%ff", "%C3=1", "&".join(["a"] * (FORM_PAIRS_MAX + 1))])
def test_bad_pairs(text):
    with pytest.raises(MalformedRequest):
        parse_pairs(text)


def test_a_plus_in_a_path_is_a_plus():
    assert decode_component("a+b%2B", plus_is_space=False) == "a+b+"


def test_a_form_is_utf8():
    with pytest.raises(MalformedRequest):
        decode_form(b"\xff")


def test_dotted_keys_make_a_tree():
    pairs = [("A.member.1", "x"), ("A.member.2.B", "y"), ("C", "z"), ("A", "lost"), ("C", "second")]
    assert parameter_tree(pairs) == {"A": {"member": {"1": "x", "2": {"B": "y"}}}, "C": "z"}


def test_a_key_that_is_also_a_prefix_is_the_prefix():
    assert parameter_tree([("A", ""), ("A.member.1", "x")]) == {"A": {"member": {"1": "x"}}}
