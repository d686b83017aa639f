"""A REST API takes its pool's tokens, and tells its integration who came."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.services.cognito.client import Pool, make_pool
from tests.services.cognito.refusals.doors import get, rest_api


@pytest.fixture(scope="module")
def rest(cloud: Any, pool: Pool) -> Iterator[str]:
    """A REST API whose method has a Cognito authorizer; it answers with the caller's name."""
    address = rest_api(cloud, pool, shown="\"$context.authorizer.claims['cognito:username']\"")
    yield address
    api = address.partition("/restapis/")[2].partition("/")[0]
    cloud.client("apigateway").delete_rest_api(restApiId=api)


def test_a_rest_api_takes_identity_tokens_of_its_pool(cloud: Any, pool: Pool, rest: str) -> None:
    user = pool.user()
    tokens = pool.tokens(user)
    assert get(rest, tokens["IdToken"]) == (200, json.dumps(user))
    assert get(rest, f"Bearer {tokens['IdToken']}")[0] == 200
    head, body, signature = tokens["IdToken"].split(".")
    other = make_pool(cloud)
    for false in (
        "",
        tokens["AccessToken"],
        f"{head}.{body}.{signature[:-4]}AAAA",
        f"eyJhbGciOiJub25lIn0.{body}.",
        other.tokens(other.user())["IdToken"],
    ):
        assert get(rest, false)[0] == 401, false
    other.admin.delete_user_pool(UserPoolId=other.id)
