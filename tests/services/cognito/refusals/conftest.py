"""A cloud whose time moves, with a pool that has every door: its API, OAuth, and two gateways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.services.cognito.client import FLOWS, Pool, make_pool, name
from tests.services.cognito.refusals.moved import MovedCloud

BACK = "http://localhost:3000/back"
CLIENT = {
    "ExplicitAuthFlows": FLOWS,
    "AllowedOAuthFlowsUserPoolClient": True,
    "AllowedOAuthFlows": ["code"],
    "AllowedOAuthScopes": ["openid", "email", "aws.cognito.signin.user.admin"],
    "CallbackURLs": [BACK],
}


@pytest.fixture(scope="session")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MovedCloud]:
    """A cloud for these tests of a worker process; who moves its clock puts it back."""
    cloud = MovedCloud(tmp_path_factory.mktemp("moved") / "data")
    try:
        yield cloud.start()
    finally:
        cloud.stop()


@pytest.fixture(scope="session")
def home(moved: Any) -> Pool:
    """A pool of that cloud."""
    return make_pool(moved, CLIENT, AutoVerifiedAttributes=["email"])


@pytest.fixture(scope="session")
def domain(home: Pool) -> str:
    """Where its pages and OAuth endpoints begin."""
    found = name("doors")
    home.admin.create_user_pool_domain(UserPoolId=home.id, Domain=found)
    return f"/_cognito/{found}"
