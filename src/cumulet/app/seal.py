"""Encryption at rest: AES-256-GCM under a key that lives in the data folder."""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12
_KEY_BYTES = 32


class MasterKeyDamaged(Exception):
    """The file with the master key does not hold one; the message names it."""


class FileSealer:
    """The `Sealer` port: one master key in a file, one derived key for each purpose.

    Whoever has both the data folder and its `master.key` can read everything; a copy of the store
    without that file tells nothing of what was sealed.
    """

    def __init__(self, master: bytes) -> None:
        self._master = master
        self._ciphers: dict[str, AESGCM] = {}

    def seal(self, plain: bytes, purpose: str) -> bytes:
        """Encrypt and authenticate for one purpose."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher(purpose).encrypt(nonce, plain, None)

    def unseal(self, sealed: bytes, purpose: str) -> bytes:
        """The plain bytes. Raises ValueError when altered or sealed for another purpose."""
        try:
            return self._cipher(purpose).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
        except (InvalidTag, ValueError) as cause:
            raise ValueError("not sealed here for this purpose") from cause

    def _cipher(self, purpose: str) -> AESGCM:
        # Purposes are words of ours, never of a caller: the dictionary stays small.
        cipher = self._ciphers.get(purpose)
        if cipher is None:
            key = hmac.new(self._master, purpose.encode(), hashlib.sha256).digest()
            cipher = self._ciphers[purpose] = AESGCM(key)
        return cipher


def open_sealer(folder: Path) -> FileSealer:
    """The sealer of a data folder; the first call makes its `master.key`, for the owner only.

    Raises MasterKeyDamaged.
    """
    path = folder / "master.key"
    if not path.exists():
        write_private(path, os.urandom(_KEY_BYTES))
    master = path.read_bytes()
    if len(master) != _KEY_BYTES:
        raise MasterKeyDamaged(f"{path} is damaged: it must hold {_KEY_BYTES} bytes")
    return FileSealer(master)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read: complete on disk, or not there."""
    draft = path.with_name(path.name + ".new")
    # One that a kill left behind might be readable for others.
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
