"""What the tests of IAM and STS share: clients, names of their own, and callers to try as."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.services.iam.iam_words import User

_numbers = itertools.count(1)


@pytest.fixture
def iam(cloud: Any) -> Any:
    """IAM as the account itself."""
    return cloud.client("iam")


@pytest.fixture
def sts(cloud: Any) -> Any:
    """STS as the account itself."""
    return cloud.client("sts")


@pytest.fixture
def account(sts: Any) -> str:
    return sts.get_caller_identity()["Account"]


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name that no other test uses, fit for users, groups, roles and policies."""
    words = request.node.name.split("[")[0].replace("test_", "").replace("_", "-")
    return f"{words[:40]}-{next(_numbers)}"


@pytest.fixture
def refused() -> Callable[..., tuple[str, str, int]]:
    """Calls, expects an error, and gives its code, message and status."""

    def call(operation: Callable[..., Any], **request: Any) -> tuple[str, str, int]:
        with pytest.raises(ClientError) as caught:
            operation(**request)
        answer = caught.value.response
        return (
            answer["Error"]["Code"],
            answer["Error"]["Message"],
            answer["ResponseMetadata"]["HTTPStatusCode"],
        )

    return call


@pytest.fixture
def new_user(cloud: Any, iam: Any, name: str) -> Callable[..., User]:
    """Makes users; each call another one."""
    counter = itertools.count(1)

    def make(path: str = "/") -> User:
        return User(cloud, iam, f"{name}-u{next(counter)}", path)

    return make
