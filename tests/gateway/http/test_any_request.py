"""Whatever is asked, an HTTP API answers it, and what functions get can be read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.http.cast import WHO, play, says, served

SENT = st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="?# "))
NAMES = st.from_regex(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,8}", fullmatch=True)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"))


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("key", ["$default", "ANY /{a}/{b+}"])
@settings(max_examples=40, deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "OPTIONS", "BREW"]),
    path=SENT,
    query=SENT,
    headers=st.lists(st.tuples(NAMES, VALUES), max_size=4),
)
def test_any_request_is_answered(version, key, method, path, query, headers):
    stage = served(key=key, backend={"payload_format_version": version})
    seen = play(
        stage,
        method=method,
        path=f"/{path}",
        query=query,
        headers=headers,
        answers=says("f", {"statusCode": 200}),
    )
    assert seen.response.status in (200, 404)
    if key == "$default":
        assert seen.functions == ["f"]


@settings(max_examples=60, deadline=None)
@given(path=SENT, query=SENT, value=VALUES)
def test_any_identity_is_asked_for_or_refused(path, query, value):
    stage = served(key="$default", auth="CUSTOM", authorizer="guard")
    seen = play(
        stage,
        path=f"/{path}",
        query=query,
        headers=[("who", value), *WHO],
        answers=says("auth", {"isAuthorized": True}),
    )
    assert seen.response.status in (200, 401)


@settings(max_examples=60, deadline=None)
@given(value=VALUES.filter(lambda text: "{" not in text))
def test_any_token_is_refused(value):
    """A text with a brace is a token of the cast's own issuer."""
    stage = served(auth="JWT", authorizer="jwt")
    seen = play(stage, headers=[("Authorization", value)])
    assert seen.response.status == 401


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
MEMBERS = ("statusCode", "headers", "multiValueHeaders", "cookies", "body", "isBase64Encoded")


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@settings(max_examples=80, deadline=None)
@given(answer=JSON | st.dictionaries(st.sampled_from(MEMBERS), JSON))
def test_any_answer_of_a_function_is_one_or_a_server_error(version, answer):
    seen = play(served(backend={"payload_format_version": version}), answers=says("f", answer))
    response = seen.response
    assert 200 <= response.status <= 599
    for name, value in response.headers:
        assert not set("\r\n\0") & set(name + value)
