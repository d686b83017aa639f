"""The project speaks of itself, and leaves nothing to be done later."""

from __future__ import annotations

import re

from tests.house.tree import project_files, text_of

TEXT = {".py", ".md", ".toml", ".sh", ".yaml", ".yml", ".json", ".html", ".js", ".css", ".txt", ""}
LATER = re.compile(r"\b(TODO(?! without)|FIXME|XXX|HACK)\b")
"""STYLE.md itself speaks of a TODO without an entry, and forbids it."""
# Written in two parts so that this file does not hold the words itself.
WORKPLACE = re.compile(
    "|".join(("/" + r"work/", "/tmp/" + "brief", "chat" + "gpt", "co" + "pilot"))
)


def find(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in project_files():
        if path.suffix not in TEXT or path.name == "test_words.py" or "lock" in path.name:
            continue
        try:
            lines = text_of(path).splitlines()
        except UnicodeDecodeError:
            continue
        found += [f"{path}:{n}: {line}" for n, line in enumerate(lines, 1) if pattern.search(line)]
    return found


def test_nothing_is_left_for_later() -> None:
    assert not find(LATER)


def test_no_path_of_the_place_where_it_was_written_is_in_it() -> None:
    assert not find(WORKPLACE)
