"""Tokens taken apart: whatever comes, it is a token or it is refused."""

from __future__ import annotations

import base64
import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.services.apigateway.admission.jwt.keys import decode_segment
from cumulet.services.apigateway.admission.jwt.tokens import (
    TokenError,
    check_claims,
    parse_token,
    scopes_of,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | st.lists(JSON, min_size=1, max_size=4))
def test_any_text_is_a_token_or_refused(given_):
    text = given_
    if isinstance(given_, list):
        text = ".".join(b64(json.dumps(part).encode()) for part in given_)
    try:
        token = parse_token(text)
    except TokenError:
        return
    assert token.algorithm[:2] in ("RS", "ES")


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["iss", "aud", "client_id", "exp", "nbf", "scope"]), JSON))
def test_claims_of_any_form_are_good_or_refused(claims):
    try:
        check_claims(claims, "me", ("you",), (), 100.0)
    except TokenError:
        return
    assert claims["iss"] == "me"
    assert claims["exp"] > 100


@given(st.binary(max_size=20))
@settings(max_examples=100, deadline=None)
def test_segments_have_one_way_to_be_written(data):
    assert decode_segment(b64(data)) == data
    if len(data) % 3:
        last = b64(data)[-1]
        other = chr(ord(last) ^ 1)
        with contextlib.suppress(ValueError):
            assert decode_segment(b64(data)[:-1] + other) != data


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "a b"}, ("a", "b")),
        ({"scp": ["a", 5, "b"]}, ("a", "b")),
        ({"scope": "a", "scp": "b"}, ("a",)),
        ({"scope": 5}, ()),
        ({}, ()),
    ],
)
def test_scopes_are_words_or_a_list(claims, scopes):
    assert scopes_of(claims) == scopes
