"""Encryption at rest: what was altered, or sealed for another purpose, does not open."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.app.seal import FileSealer, MasterKeyDamaged, open_sealer, write_private

SEALER = FileSealer(bytes(range(32)))


@given(st.binary(max_size=200), st.text(max_size=20))
@settings(max_examples=50)
def test_what_was_sealed_opens_for_its_purpose(plain: bytes, purpose: str) -> None:
    sealed = SEALER.seal(plain, purpose)
    assert SEALER.unseal(sealed, purpose) == plain
    assert len(sealed) == len(plain) + 12 + 16


@given(st.binary(min_size=1, max_size=50), st.integers(0, 10_000), st.integers(1, 255))
@settings(max_examples=50)
def test_one_changed_byte_is_refused(plain: bytes, place: int, change: int) -> None:
    sealed = bytearray(SEALER.seal(plain, "p"))
    sealed[place % len(sealed)] ^= change
    with pytest.raises(ValueError, match="not sealed here"):
        SEALER.unseal(bytes(sealed), "p")


def test_another_purpose_another_key_and_nothing_at_all_are_refused() -> None:
    sealed = SEALER.seal(b"secret", "access keys")
    for sealer, content, purpose in (
        (SEALER, sealed, "environment"),
        (FileSealer(bytes(32)), sealed, "access keys"),
        (SEALER, sealed[:-1], "access keys"),
        (SEALER, b"", "access keys"),
        (SEALER, b"short", "access keys"),
    ):
        with pytest.raises(ValueError, match="not sealed here"):
            sealer.unseal(content, purpose)


def test_the_same_text_is_never_sealed_alike() -> None:
    assert SEALER.seal(b"secret", "p") != SEALER.seal(b"secret", "p")
    assert b"secret" not in SEALER.seal(b"secret", "p")


def test_the_master_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    sealed = open_sealer(tmp_path).seal(b"kept", "p")
    path = tmp_path / "master.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_bytes()) == 32
    assert open_sealer(tmp_path).unseal(sealed, "p") == b"kept"


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_a_damaged_master_key_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "master.key").write_bytes(content)
    with pytest.raises(MasterKeyDamaged, match=str(tmp_path / "master.key")):
        open_sealer(tmp_path)


def test_a_private_file_is_private_from_its_first_byte(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("old and readable")
    path.chmod(0o644)
    mask = os.umask(0)
    try:
        write_private(path, b"new")
    finally:
        os.umask(mask)
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_draft_that_was_left_behind_lends_nobody_its_mode(tmp_path: Path) -> None:
    draft = tmp_path / "secret.new"
    draft.write_text("left by a kill, and longer than what comes")
    draft.chmod(0o644)
    write_private(tmp_path / "secret", b"new")
    assert (tmp_path / "secret").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
