"""Backup and restore: a data folder as one consistent copy, while the cloud runs or not."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

from cumulet.app.config import Config
from cumulet.app.seal import write_private
from cumulet.kv.embedded import EmbeddedStore, open_embedded

_KEYS = ("master.key", "root-key.json")


async def back_up(config: Config, store: EmbeddedStore, folder: Path) -> None:
    """Make `folder` a copy of the data: the store first, then the blobs that it refers to.

    A blob is removed only long after the last record that refers to it, so what the copied store
    refers to is still there when the blobs are linked. Raises OSError and `kv.Unavailable`.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    await store.backup(folder / "store")
    await asyncio.to_thread(_copy_rest, config.data, folder)


def _copy_rest(data: Path, folder: Path) -> None:
    if (data / "blobs").exists():
        shutil.copytree(data / "blobs", folder / "blobs", copy_function=_link)
    for name in _KEYS:
        write_private(folder / name, (data / name).read_bytes())


def _link(source: str, target: str) -> None:
    # Blobs never change once written: a link is as good as a copy, and costs nothing.
    try:
        os.link(source, target)
    except FileNotFoundError:
        return
    except OSError:
        shutil.copyfile(source, target)


async def back_up_offline(config: Config, folder: Path) -> None:
    """The same for a cloud that does not run."""
    store = open_embedded(config.data / "store")
    try:
        await back_up(config, store, folder)
    finally:
        await store.close()


def restore(backup: Path, data: Path) -> None:
    """Make `data` from a backup. Raises FileExistsError when it holds a cloud, OSError."""
    if not (backup / "master.key").exists() or not (backup / "store").exists():
        raise FileNotFoundError(f"{backup} is not a backup of a cloud")
    if data.exists() and any(data.iterdir()):
        raise FileExistsError(f"{data} is not empty")
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copytree(backup / "store", data / "store")
    if (backup / "blobs").exists():
        shutil.copytree(backup / "blobs", data / "blobs")
    for name in _KEYS:
        write_private(data / name, (backup / name).read_bytes())
