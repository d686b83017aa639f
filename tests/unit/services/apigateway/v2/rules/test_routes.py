"""Route keys.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.services.apigateway.errors import BadRequestException
from cumulet.services.apigateway.v2.http.prepared.routing import Router
from cumulet.services.apigateway.v2.rules.routes import check_route_key

WORDS = st.text("abz09-._~", min_size=1, max_size=4)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["GET", "ANY"]), st.lists(WORDS, max_size=4), st.booleans())
def test_a_key_that_is_taken_can_be_asked_for(method, words, has_slash):
    path = "/" + "/".join(words) + ("/" if has_slash and words else "")
    key = f"{method} {path}"
    check_route_key(key, "HTTP")
    assert Router([(key, key)]).find("GET", path) == (key, {})


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=20))
def test_any_text_is_a_key_or_is_refused(text):
    try:
        check_route_key(text, "HTTP")
    except BadRequestException:
        return
    assert text == "$default" or text.partition(" ")[2].startswith("/")


@pytest.mark.parametrize("key", ["$other", "$connection"])
def test_keys_with_a_dollar_are_reserved_in_websocket_apis(key):
    with pytest.raises(BadRequestException):
        check_route_key(key, "WEBSOCKET")
    check_route_key("$connect", "WEBSOCKET")
