"""Backup and restore: a copy that is whole, in a folder that was empty."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path
from typing import Any

import pytest

from cumulet.app.backup import back_up_offline, restore
from cumulet.app.config import Config
from cumulet.app.seal import write_private
from cumulet.kv.embedded import open_embedded


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data of a small cloud: one record, one blob, two keys."""
    folder = tmp_path / "data"
    (folder / "blobs" / "ab").mkdir(parents=True)
    (folder / "blobs" / "ab" / "abc").write_bytes(b"blob")
    for name in ("master.key", "root-key.json"):
        write_private(folder / name, name.encode())
    asyncio.run(change(folder, b"value"))
    return folder


async def change(folder: Path, value: bytes) -> None:
    async def write(tx: Any) -> None:
        tx.set(b"key", value)

    store = open_embedded(folder / "store")
    await store.transact(write)
    await store.close()


async def value_in(folder: Path) -> bytes | None:
    store = open_embedded(folder / "store")
    try:
        return await store.transact(lambda tx: tx.get(b"key"))
    finally:
        await store.close()


def test_a_restored_backup_has_records_blobs_and_keys(data: Path, tmp_path: Path) -> None:
    asyncio.run(back_up_offline(Config(data), tmp_path / "backup"))
    asyncio.run(change(data, b"changed later"))
    restore(tmp_path / "backup", tmp_path / "restored")
    assert asyncio.run(value_in(tmp_path / "restored")) == b"value"
    assert (tmp_path / "restored" / "blobs" / "ab" / "abc").read_bytes() == b"blob"
    assert (tmp_path / "restored" / "master.key").read_bytes() == b"master.key"


def test_copies_are_for_their_owner_only(data: Path, tmp_path: Path) -> None:
    asyncio.run(back_up_offline(Config(data), tmp_path / "backup"))
    restore(tmp_path / "backup", tmp_path / "restored")
    for folder in (tmp_path / "backup", tmp_path / "restored"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for name in ("master.key", "root-key.json"):
            assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


def test_nothing_is_written_over(data: Path, tmp_path: Path) -> None:
    asyncio.run(back_up_offline(Config(data), tmp_path / "backup"))
    with pytest.raises(FileExistsError, match="is not empty"):
        asyncio.run(back_up_offline(Config(data), tmp_path / "backup"))
    with pytest.raises(FileExistsError, match="is not empty"):
        restore(tmp_path / "backup", data)


def test_what_is_no_backup_is_not_restored(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="is not a backup"):
        restore(tmp_path, tmp_path / "restored")
    assert not (tmp_path / "restored").exists()


def test_a_restored_cloud_does_not_share_files_with_its_backup(data: Path, tmp_path: Path) -> None:
    asyncio.run(back_up_offline(Config(data), tmp_path / "backup"))
    restore(tmp_path / "backup", tmp_path / "restored")
    original = (tmp_path / "backup" / "blobs" / "ab" / "abc").stat().st_ino
    assert (tmp_path / "restored" / "blobs" / "ab" / "abc").stat().st_ino != original
