"""The program that keeps watch, as a file."""

import pytest

from cumulet.sandbox.child import watcher


def test_it_is_a_file_that_a_kernel_can_start():
    content = watcher.image("x86_64")
    assert content[:5] == b"\x7fELF\x02"
    assert len(content) < 300


def test_there_is_none_for_other_machines():
    with pytest.raises(KeyError):
        watcher.image("mips")
