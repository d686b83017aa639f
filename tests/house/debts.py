"""What does not keep a rule of the house yet. These lists may only become shorter."""

from __future__ import annotations

FULL_FOLDERS: dict[str, int] = {
    "tests/services/cloudformation": 17,
}
"""Folders with more than fourteen entries, and how many they may have."""

UNTESTED: frozenset[str] = frozenset()
"""Operations that no test names yet."""
