"""Patch operations: paths, escapes, refusals in AWS's words.

The sentences were recorded from AWS; the paths are those of
https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.services.apigateway.errors import BadRequestException, NotFoundException
from cumulet.services.apigateway.limits import PATCHES_MAX
from cumulet.services.apigateway.rules.patch import (
    ALL,
    REPLACE,
    Rule,
    apply_patches,
    listing,
    read_flag,
    terse,
)

RULES = (
    Rule("/name"),
    Rule("/description", ALL),
    Rule("/inner/flag", REPLACE, read_flag),
    Rule("/types/{}", ALL, kind="set"),
    Rule("/parameters/{}", ALL, read_flag, "map"),
    Rule("/templates/{}", ALL, str, "map", "Content-Type specified was not found"),
)


def patched(document, *operations):
    return apply_patches(document, operations, RULES, terse)


def op(name, path, value=None):
    return {"op": name, "path": path, "value": value}


def test_a_field_is_replaced_and_removed():
    assert patched({"name": "a"}, op("replace", "/name", "b")) == {"name": "b"}
    assert patched({"name": "a", "description": "d"}, op("remove", "/description")) == {"name": "a"}


def test_a_field_inside_of_another_is_replaced():
    assert patched({}, op("replace", "/inner/flag", "TRUE")) == {"inner": {"flag": True}}


def test_what_is_neither_true_nor_false_is_false():
    assert patched({}, op("replace", "/inner/flag", "whatever")) == {"inner": {"flag": False}}


def test_set_items_are_added_once_replaced_at_the_end_and_removed():
    document = patched({}, op("add", "/types/image~1png"), op("add", "/types/image~1jpeg"))
    assert document == {"types": ["image/png", "image/jpeg"]}
    document = patched(document, op("replace", "/types/image~1png", "image/gif"))
    assert document == {"types": ["image/jpeg", "image/gif"]}
    assert patched(document, op("remove", "/types/image~1jpeg")) == {"types": ["image/gif"]}


def test_map_entries_are_added_replaced_and_removed_with_their_map():
    document = patched({}, op("add", "/parameters/method.request.header.x", "true"))
    assert document == {"parameters": {"method.request.header.x": True}}
    document = patched(document, op("replace", "/parameters/method.request.header.x", "false"))
    assert document == {"parameters": {"method.request.header.x": False}}
    assert patched(document, op("remove", "/parameters/method.request.header.x")) == {}


@pytest.mark.parametrize("name", ["replace", "remove"])
def test_a_missing_entry_is_not_found(name):
    with pytest.raises(NotFoundException, match="Invalid parameter name specified"):
        patched({}, op(name, "/parameters/x", "true"))
    with pytest.raises(NotFoundException, match="Content-Type specified was not found"):
        patched({}, op(name, "/templates/text~1plain", "t"))


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (op("replace", "/nothing", "x"), "Invalid patch path /nothing"),
        (op("add", "/parameters", "x"), "Invalid patch path /parameters"),
        (
            op("add", "/templates/application/json", "x"),
            "Invalid patch path /templates/application/json",
        ),
        (
            op("add", "/name", "x"),
            r"Invalid patch operation specified. Must be one of: \[replace\]",
        ),
        (op("move", "/description", "x"), "Invalid patch operation specified"),
        ({"op": "replace"}, "Invalid patch path null"),
    ],
)
def test_refusals_of_the_terse_dialect(operation, words):
    with pytest.raises(BadRequestException, match=words):
        patched({}, operation)


def test_refusals_of_the_listing_dialect():
    rules = (Rule("/parentId"), Rule("/pathPart"))
    with pytest.raises(BadRequestException) as refused:
        apply_patches({}, [op("replace", "/invalid", "x")], rules, listing)
    assert refused.value.message == (
        "Invalid patch path  '/invalid' specified for op 'replace'. "
        "Must be one of: [/parentId, /pathPart]"
    )
    with pytest.raises(BadRequestException) as refused:
        apply_patches({}, [op("remove", "/pathPart")], rules, listing)
    assert refused.value.message == (
        "Invalid patch path  '/pathPart' specified for op 'remove'. "
        "Please choose supported operations"
    )


def test_a_refused_operation_leaves_the_document_as_it_was():
    document = {"name": "a"}
    with pytest.raises(BadRequestException):
        patched(document, op("replace", "/name", "b"), op("replace", "/nothing", "x"))
    assert document == {"name": "a"}


def test_the_number_of_operations_is_bounded():
    with pytest.raises(BadRequestException):
        patched({}, *[op("replace", "/name", "b")] * (PATCHES_MAX + 1))


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=12))
def test_every_key_can_be_reached_by_its_escaped_path(key):
    path = "/templates/" + key.replace("~", "~0").replace("/", "~1")
    assert patched({}, op("add", path, "v")) == {"templates": {key: "v"}}
