"""JSONPath: definite paths give a value, others a list."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.services.apigateway.templates import BadPath, find

STORE = {
    "book": [
        {"title": "A", "price": 8, "isbn": "1"},
        {"title": "B", "price": 12},
        {"title": "C", "price": 9, "isbn": "2"},
    ],
    "odd name": {"a.b": 1},
    "n": None,
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", STORE),
        ("$.book[0].title", "A"),
        ("$.book[-1].title", "C"),
        ("book[1].price", 12),
        ("$['odd name']['a.b']", 1),
        ("$.book[*].title", ["A", "B", "C"]),
        ("$.book[0,2].title", ["A", "C"]),
        ("$.book[1:].title", ["B", "C"]),
        ("$..price", [8, 12, 9]),
        ("$.book[?(@.price < 10)].title", ["A", "C"]),
        ("$.book[?(@.title == 'B')].price", [12]),
        ("$.book[?(@.isbn)].title", ["A", "C"]),
        ("$.book.length()", 3),
        ("$.nothing", None),
        ("$.nothing.deeper", None),
        ("$.book[9]", None),
        ("$.n", None),
        ("$.book[*].nothing", []),
    ],
)
def test_what_a_path_finds(path, expected):
    assert find(STORE, path) == expected


@pytest.mark.parametrize("path", ["$[", "$.", "$.a[?(]", "$['a", "$x", "$.a[b]"])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(BadPath):
        find(STORE, path)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="$.[]*'\"?@()=<:,0a-b ", max_size=30))
def test_no_text_breaks_it_otherwise(path):
    try:
        find({"a": [{"b": 1}], "b": {"a": "x"}}, path)
    except BadPath:
        return
