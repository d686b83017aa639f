"""Selection expressions, as AWS describes them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.services.apigateway.v2.sockets.deployed.selection import (
    VALUE_LENGTH_MAX,
    Sources,
    choose_template,
    compile_selection,
)

BODY = json.dumps(
    {
        "action": "say",
        "to": {"room": "blue", "ids": ["a", "b"]},
        "count": 3,
        "on": True,
        "none": None,
        "with.dot": "dotted",
    }
)
SOURCES = Sources(
    BODY,
    headers={"X-Mood": "calm"},
    query={"room": "red"},
    context={"routeKey": "say", "identity": {"sourceIp": "127.0.0.1"}},
    variables={"version": "v1"},
    status=201,
)


# https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-selection-expressions.html
@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$request.body.action", "say"),
        ("${request.body.action}", "say"),
        ("$request.body.to.room", "blue"),
        ("$request.body.to.ids[1]", "b"),
        ("$request.body.count", "3"),
        ("$request.body.on", "true"),
        ("$request.body.none", None),
        ("$request.body.absent", None),
        ("$request.body.to", None),
        ("$request.body.to.room.more", None),
        ("${request.body.to.room}/${request.body.action}", "blue/say"),
        ("${request.body.to.room}/${request.body.absent}", None),
        ("$request.header.x-mood", "calm"),
        ("$request.querystring.room", "red"),
        ("$context.routeKey", "say"),
        ("$context.identity.sourceIp", "127.0.0.1"),
        ("$context.nothing.at.all", None),
        ("$stageVariables.version", "v1"),
        ("${integration.response.statuscode}", "201"),
        ("$integration.response.body.action", "say"),
        ("$integration.response.header.X-Mood", "calm"),
        ("$default", "$default"),
        (r"\$default", "$default"),
        ("200", "200"),
        ("", ""),
    ],
)
def test_expression_selects(expression: str, value: str | None):
    assert compile_selection(expression)(SOURCES) == value


@pytest.mark.parametrize("body", ["", "no json", "[]", "1", '"text"', "null", "{", "[" * 5_000])
def test_body_that_is_no_object_selects_nothing(body: str):
    assert compile_selection("$request.body.action")(Sources(body)) is None


def test_overlong_value_selects_nothing():
    body = json.dumps({"action": "x" * (VALUE_LENGTH_MAX + 1)})
    assert compile_selection("$request.body.action")(Sources(body)) is None


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("'fixed'", "fixed"),
        ("route.request.header.x-mood", "calm"),
        ("route.request.multivalueheader.x-mood", "calm"),
        ("route.request.querystring.room", "red"),
        ("route.request.body.to.room", "blue"),
        ("route.request.body", BODY),
        ("request.body.action", "say"),
        ("context.identity.sourceIp", "127.0.0.1"),
        ("stageVariables.version", "v1"),
        ("stageVariables.other", None),
    ],
)
def test_mapping_reads_its_source(source: str, value: str | None):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-data-mapping.html
    assert SOURCES.mapped(source) == value


@pytest.mark.parametrize(
    ("selected", "chosen"),
    [("own", 1), ("other", 2), (None, 2)],
)
def test_template_is_the_selected_or_the_default_one(selected: str | None, chosen: int):
    assert choose_template({"own": 1, "$default": 2, "application/json": 3}, selected) == chosen
    assert choose_template({"application/json": 3}, selected) == 3
    assert choose_template({"odd": 4}, selected) is None


@settings(max_examples=50)
@given(st.text(max_size=40), st.text(max_size=40))
def test_any_expression_on_any_body_is_answered(expression: str, body: str):
    value = compile_selection(expression)(Sources(body))
    assert value is None or isinstance(value, str)


@settings(max_examples=50)
@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_any_text_of_a_body_is_selected_as_it_is(text: str):
    body = json.dumps({"action": text})
    assert compile_selection("$request.body.action")(Sources(body)) == text
