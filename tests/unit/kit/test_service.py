"""Manifests: declared operations are found by their AWS names."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from cumulet.core.context import Context
from cumulet.kit.service import operation, operations_of, snake_case


@pytest.mark.parametrize(
    ("name", "snake"),
    [
        ("CreateRole", "create_role"),
        ("ListObjectsV2", "list_objects_v2"),
        ("CreateOpenIDConnectProvider", "create_open_id_connect_provider"),
        ("PutBucketCors", "put_bucket_cors"),
        ("UpdateFunctionUrlConfig", "update_function_url_config"),
    ],
)
def test_names_become_those_of_botocores_methods(name: str, snake: str) -> None:
    assert snake_case(name) == snake


def test_a_function_that_is_named_otherwise_is_refused() -> None:
    with pytest.raises(TypeError, match="must be named create_role"):

        @operation("CreateRole")
        async def make_role(ctx: Context, request: Any) -> dict[str, Any]:
            return {}


def test_operations_are_those_that_a_module_declares_itself() -> None:
    @operation("CreateRole", action="CreateRole")
    async def create_role(ctx: Context, request: Any) -> dict[str, Any]:
        return {}

    own, other = ModuleType("own"), ModuleType("other")
    create_role.__module__ = "own"
    for module in (own, other):
        module.__dict__["create_role"] = create_role
    assert list(operations_of(own)) == ["CreateRole"]
    assert operations_of(other) == {}


def test_unsigned_callers_reach_only_what_says_so() -> None:
    @operation("GetRole", access="anyone")
    async def get_role(ctx: Context, request: Any) -> dict[str, Any]:
        return {}

    @operation("GetUser")
    async def get_user(ctx: Context, request: Any) -> dict[str, Any]:
        return {}

    assert get_role.__dict__["__operation__"].takes_unsigned
    assert not get_user.__dict__["__operation__"].takes_unsigned
