"""A pool for the tests of a file that change nothing of it but their own users."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.services.cognito.client import Pool, make_pool


@pytest.fixture(scope="module")
def pool(cloud: Any) -> Iterator[Pool]:
    """A pool that verifies addresses, with a client that allows every flow."""
    made = make_pool(cloud, AutoVerifiedAttributes=["email"])
    yield made
    made.admin.delete_user_pool(UserPoolId=made.id)
