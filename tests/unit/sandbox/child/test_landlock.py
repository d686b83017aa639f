from __future__ import annotations

import os
from pathlib import Path

import pytest

from cumulet.sandbox.child import landlock


def test_rules_alone_bind_nobody(tmp_path: Path) -> None:
    try:
        version = landlock.abi()
    except OSError:
        pytest.skip("a kernel without Landlock")
    os.close(landlock.rules(version, ["/usr"], [], network=False))
    (tmp_path / "file").write_text("still allowed")
    assert (tmp_path / "file").read_text() == "still allowed"
