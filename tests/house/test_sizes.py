"""Files, functions, lines and folders stay as small as STYLE.md says."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

from tests.house.debts import FULL_FOLDERS
from tests.house.tree import project_files, python_files, syntax_of, text_of

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
FOLDER_ENTRIES_MAX = 14
CATALOGUES = (
    "changelog.d",
    "docs/compatibility",
    "docs/decisions",
    "src/cumulet/cli/commands",
    "src/cumulet/services",
    "tests/services",
    "tests/unit/services",
)
"""Folders with one entry for each service, decision or command: as long as the list of them."""


def test_no_python_file_is_longer_than_four_hundred_lines() -> None:
    long = {
        str(path): count
        for path in python_files()
        if (count := len(text_of(path).splitlines())) > FILE_LINES_MAX
    }
    assert not long


def test_no_function_is_longer_than_sixty_lines() -> None:
    long = []
    for path in python_files():
        for node in ast.walk(syntax_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                count = node.end_lineno - node.lineno + 1
                if count > FUNCTION_LINES_MAX:
                    long.append(f"{path}:{node.lineno} {node.name} has {count} lines")
    assert not long


def entries_by_folder() -> dict[str, int]:
    found: dict[str, set[str]] = defaultdict(set)
    for path in project_files():
        for parent in path.parents:
            found[str(parent)].add(path.relative_to(parent).parts[0])
    return {folder: len(entries) for folder, entries in found.items() if Path(folder).parts}


def test_no_folder_has_more_than_fourteen_entries() -> None:
    counts = entries_by_folder()
    full = {
        folder: count
        for folder, count in counts.items()
        if folder not in CATALOGUES and count > FULL_FOLDERS.get(folder, FOLDER_ENTRIES_MAX)
    }
    assert not full


def test_the_list_of_full_folders_is_as_short_as_it_can_be() -> None:
    counts = entries_by_folder()
    paid = {
        folder: counts.get(folder, 0)
        for folder, allowed in FULL_FOLDERS.items()
        if counts.get(folder, 0) < allowed
    }
    assert not paid, "lower these numbers in tests/house/debts.py, or take the folders out"
