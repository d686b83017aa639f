"""Values of mappings.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.services.apigateway.errors import BadRequestException
from cumulet.services.apigateway.v2.rules.expressions import (
    Variable,
    dig,
    evaluate,
    from_body,
    parse_expression,
    text_of,
)

VALUES = {
    Variable("header", "a"): "1",
    Variable("querystring", "b"): "2",
    Variable("body", ".c"): [1, True, None],
    Variable("path", ""): "/p",
    Variable("context", "authorizer.claims.sub"): "me",
    Variable("stageVariables", "v"): "s",
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("static", "static"),
        ("", None),
        ("$request.header.a", "1"),
        ("$request.querystring.b", "2"),
        ("$request.path", "/p"),
        ("$request.body.c", [1, True, None]),
        ("$context.authorizer.claims.sub", "me"),
        ("$stageVariables.v", "s"),
        ("x-${request.header.a}-${stageVariables.v}", "x-1-s"),
        ("${request.header.a}", "1"),
        ("${request.header.none}!", "!"),
        ("$5 and ${request.header.a}", "$5 and 1"),
        ("/v1/${request.path}", "/v1//p"),
    ],
)
def test_texts_and_variables_stand_side_by_side(text, value):
    expression = parse_expression(text, "request")
    found = evaluate(expression, VALUES.get) if expression else None
    assert found == value


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("$request.header", "request"),
        ("$request.cookie.a", "request"),
        ("$request.header.a", "response"),
        ("$response.header.a", "request"),
        ("$response.querystring.a", "response"),
        ("$context.", "request"),
        ("${nothing}", "request"),
        ("${request.header.}", "request"),
    ],
)
def test_variables_that_are_none_are_refused(text, side):
    with pytest.raises(BadRequestException):
        parse_expression(text, side)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        expression = parse_expression(text, "request")
    except BadRequestException:
        return
    if "$" not in text:
        assert expression == ((text,) if text else ())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (1.5, "1.5"),
        ([1, "a", None], "1,a,"),
        ([[1]], "[[1]]"),
        ({"a": "é"}, '{"a":"é"}'),
    ],
)
def test_values_are_written_as_text(value, text):
    assert text_of(value) == text


def test_bodies_and_contexts_are_looked_into():
    assert from_body({"a": [{"b": 1}]}, ".a[0].b") == 1
    assert from_body({"a": 1}, ".b") is None
    assert from_body({"a": 1}, ".[[") is None
    assert dig({"a": {"b.c": 1}}, "a.b.c") == 1
    assert dig({"a": 1}, "a.b") is None
