"""The root key of the first account, and the keys that the owner chose."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from cumulet.app.accounts import RootKeyLost, ensure_keys
from cumulet.app.compose import compose
from cumulet.app.config import DEFAULT_ACCOUNT, Config, KnownKey, parse_key
from cumulet.app.platform import Platform
from cumulet.kit.ports import Credential, Credentials


def with_platform(data: Path, work: Callable[[Platform], Awaitable[None]], *keys: KnownKey) -> None:
    async def scenario() -> None:
        platform = compose(Config(data, keys=keys))
        try:
            await work(platform)
        finally:
            await platform.stop()

    asyncio.run(scenario())


async def find(platform: Platform, key_id: str) -> Credential | None:
    port = platform.dispatcher.need(Credentials)
    return await port.find(key_id, "")


def test_the_first_start_makes_a_key_and_later_ones_find_it(tmp_path: Path) -> None:
    made = []

    async def first(platform: Platform) -> None:
        key = await ensure_keys(platform)
        found = await find(platform, key.access_key_id)
        assert key.is_new
        assert found is not None
        assert found.secret == key.secret
        assert found.principal.arn == f"arn:aws:iam::{DEFAULT_ACCOUNT}:root"
        made.append(key)

    async def later(platform: Platform) -> None:
        key = await ensure_keys(platform)
        assert not key.is_new
        assert (key.access_key_id, key.secret) == (made[0].access_key_id, made[0].secret)

    with_platform(tmp_path, first)
    with_platform(tmp_path, later)
    path = tmp_path / "root-key.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["access_key_id"] == made[0].access_key_id


def test_added_keys_are_roots_of_their_accounts(tmp_path: Path) -> None:
    async def work(platform: Platform) -> None:
        await ensure_keys(platform)
        for key_id, account in (("test", DEFAULT_ACCOUNT), ("123456789012", "123456789012")):
            found = await find(platform, key_id)
            assert found is not None
            assert found.principal.is_root
            assert found.principal.account == account
        assert await find(platform, "210987654321") is None

    with_platform(tmp_path, work, parse_key("test:test"), parse_key("123456789012:x"))


def test_an_added_key_given_again_with_another_secret_has_that_secret(tmp_path: Path) -> None:
    async def work(platform: Platform) -> None:
        await ensure_keys(platform)
        found = await find(platform, "test")
        assert found is not None
        assert found.secret == platform.config.keys[0].secret

    with_platform(tmp_path, work, parse_key("test:one"))
    with_platform(tmp_path, work, parse_key("test:two"))


def test_a_lost_root_key_is_not_replaced_in_silence(tmp_path: Path) -> None:
    async def work(platform: Platform) -> None:
        await ensure_keys(platform)

    async def lost(platform: Platform) -> None:
        with pytest.raises(RootKeyLost, match=r"root-key\.json"):
            await ensure_keys(platform)

    with_platform(tmp_path, work)
    (tmp_path / "root-key.json").unlink()
    with_platform(tmp_path, lost)
