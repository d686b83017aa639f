"""Documents of any form make a plan or are refused; what was written is read again."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.services.apigateway.v2.test_documents import DOCUMENT

from cumulet.services.apigateway.errors import BadRequestException
from cumulet.services.apigateway.openapi.document import Document
from cumulet.services.apigateway.v2.openapi.reading import read_plan
from cumulet.services.apigateway.v2.rules.authorizers import parse_authorizer
from cumulet.services.apigateway.v2.rules.integrations import parse_integration

STRANGE = st.sampled_from([None, True, 5, -1, "x", "", [], [5], {}, {"a": 1}, {"a": []}, "a" * 50])


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [at] if at else []
    if isinstance(value, dict):
        for key, item in value.items():
            found += places(item, (*at, key))
    if isinstance(value, list):
        for number, item in enumerate(value):
            found += places(item, (*at, number))
    return found


PLACES = places(DOCUMENT)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), STRANGE), min_size=1, max_size=3))
def test_a_strange_value_anywhere_makes_a_plan_or_a_refusal(changes):
    document = copy.deepcopy(DOCUMENT)
    for place, value in changes:
        owner: Any = document
        for step in place[:-1]:
            try:
                owner = owner[step]
            except (KeyError, IndexError, TypeError):
                break
        else:
            if isinstance(owner, dict):
                owner[place[-1]] = value
    try:
        plan = read_plan(Document(document), "ignore")
        for one in plan.integrations:
            parse_integration({**one, "ApiId": "a", "IntegrationId": "i"}, "HTTP")
        for one in plan.authorizers.values():
            parse_authorizer({**one, "ApiId": "a", "AuthorizerId": "i"}, "HTTP")
    except BadRequestException:
        return
    assert plan.settings["Name"]


@pytest.mark.parametrize("url", ["https://i.example/x/.well-known/openid-configuration"])
def test_an_issuer_can_be_named_by_its_configuration(url):
    scheme = {
        "type": "openIdConnect",
        "openIdConnectUrl": url,
        "x-amazon-apigateway-authorizer": {
            "type": "jwt",
            "identitySource": "$request.header.Authorization",
            "jwtConfiguration": {"audience": "me"},
        },
    }
    document = {**DOCUMENT, "components": {"securitySchemes": {"jwt": scheme}}}
    document["paths"] = {"/x": {"get": {"security": [{"jwt": []}]}}}
    plan = read_plan(Document(document), "ignore")
    assert plan.authorizers["jwt"]["JwtConfiguration"] == {
        "Issuer": "https://i.example/x",
        "Audience": ["me"],
    }
