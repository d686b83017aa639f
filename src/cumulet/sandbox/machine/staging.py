"""Folders of the sandbox on disk: merged layers, and the runtime's parts."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path


def merged(layers: tuple[Path, ...], work: Path) -> Path | None:
    """One folder with all layers, later ones over earlier ones; made once and then kept.

    A single layer is used as it is. Files are hard links where the file system allows.
    """
    if not layers:
        return None
    if len(layers) == 1:
        return layers[0]
    name = hashlib.sha256("\0".join(map(str, layers)).encode()).hexdigest()[:32]
    target = work / "layers" / name
    if target.exists():
        return target
    draft = target.with_name(f"{name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    for layer in layers:
        shutil.copytree(
            layer, draft, symlinks=True, dirs_exist_ok=True, copy_function=_link_or_copy
        )
    try:
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft)
    return target


def _link_or_copy(source: str, target: str) -> None:
    Path(target).unlink(missing_ok=True)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def linked_runtime(parts: list[tuple[str, str]], folder: Path) -> Path:
    """A folder of links to the runtime's parts, for interpreters without an own root."""
    folder.mkdir(parents=True, exist_ok=True)
    for source, shown in parts:
        link = folder / Path(shown).name
        if not link.is_symlink():
            link.symlink_to(source)
    return folder


def extension_names(layers: tuple[Path, ...]) -> frozenset[str]:
    """Names of the external extensions that the layers bring."""
    names = set()
    for layer in layers:
        folder = layer / "extensions"
        if folder.is_dir():
            names |= {
                path.name
                for path in folder.iterdir()
                if path.is_file() and os.access(path, os.X_OK)
            }
    return frozenset(names)


def all_reachable(*paths: Path) -> bool:
    """Whether every user may pass all folders on the way to these paths."""
    return all(folder.stat().st_mode & 0o001 for path in paths for folder in path.resolve().parents)
