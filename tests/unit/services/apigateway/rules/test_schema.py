"""JSON Schema draft 4, compared with another implementation of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from cumulet.services.apigateway.rules.schema import BadSchema, compile_schema


def fits(schema, document):
    return compile_schema("M", {"M": json.dumps(schema)})(document)


SCHEMAS = [
    {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}},
    {"type": ["string", "null"], "minLength": 2, "maxLength": 4, "pattern": "^a"},
    {"type": "array", "items": {"type": "number"}, "minItems": 1, "uniqueItems": True},
    {"items": [{"type": "string"}, {"type": "boolean"}], "additionalItems": False},
    {"additionalProperties": False, "properties": {"a": {}}, "patternProperties": {"^x": {}}},
    {"additionalProperties": {"type": "integer"}},
    {"enum": [1, "a", None, [1], {"k": 1}]},
    {"minimum": 1, "maximum": 5, "exclusiveMaximum": True, "multipleOf": 2},
    {"anyOf": [{"type": "string"}, {"minimum": 3}]},
    {"oneOf": [{"multipleOf": 2}, {"multipleOf": 3}]},
    {"allOf": [{"type": "object"}, {"maxProperties": 1}], "not": {"required": ["bad"]}},
    {"dependencies": {"a": ["b"], "b": {"required": ["c"]}}},
    {
        "definitions": {"n": {"properties": {"n": {"$ref": "#/definitions/n"}}, "type": "object"}},
        "$ref": "#/definitions/n",
    },
    {},
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 12) | st.sampled_from(["", "a", "ab", "abcde"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "c", "n", "x1", "bad"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_it_agrees_with_another_implementation(schema):
    other = Draft4Validator(schema)

    @settings(max_examples=60, deadline=None)
    @given(VALUES)
    def check(value):
        assert fits(schema, value) == other.is_valid(value)

    check()


def test_models_refer_to_one_another():
    url = "https://apigateway.amazonaws.com/restapis/abc123/models/Pet"
    models = {
        "Pets": json.dumps({"type": "array", "items": {"$ref": url}}),
        "Pet": json.dumps({"type": "object", "required": ["name"]}),
    }
    check = compile_schema("Pets", models)
    assert check([{"name": "Rex"}])
    assert not check([{"name": "Rex"}, {}])


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "thing"},
        {"$ref": "#/nowhere"},
        {"$ref": "http://x/y"},
        {"pattern": "("},
        {"items": 3},
    ],
)
def test_what_is_no_schema_is_refused(schema):
    with pytest.raises(BadSchema):
        fits(schema, None)


def test_a_document_nested_too_deeply_does_not_fit():
    deep = {}
    for _ in range(200):
        deep = {"n": deep}
    assert not fits(SCHEMAS[12], deep)
