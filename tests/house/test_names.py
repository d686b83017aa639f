"""Names of files, rooms of services, and where imports may not be relative."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from tests.house.tree import SOURCE, project_files, python_files, syntax_of

FORBIDDEN = {"utils", "util", "helpers", "helper", "common", "base", "misc", "manager", "models"}
ROOMS = {
    "__init__.py",
    "errors.py",
    "limits.py",
    "model.py",
    "operations",
    "resources",
    "resources.py",
    "store",
    "store.py",
    "surface.py",
    "workers.py",
}
"""Rooms that mean the same in every service; what else is there is a domain file."""
KEEPS_NOTHING = {"bedrock"}
"""Services without records: theirs is a file that the user writes."""
REQUIRED = {"__init__.py", "errors.py", "limits.py", "model.py", "operations"}
SERVICES = sorted(
    path for path in (SOURCE / "services").iterdir() if (path / "__init__.py").exists()
)


def test_no_file_or_folder_has_a_name_that_says_nothing() -> None:
    nameless = [
        str(path)
        for path in project_files()
        if path.parts[0] != "docs" and FORBIDDEN & {Path(part).stem for part in path.parts}
    ]
    assert not nameless


def test_no_import_is_relative() -> None:
    relative = [
        f"{path}:{node.lineno}"
        for path in python_files()
        for node in ast.walk(syntax_of(path))
        if isinstance(node, ast.ImportFrom) and node.level > 0
    ]
    assert not relative


def test_every_python_file_says_first_what_lives_in_it() -> None:
    silent = []
    for path in python_files():
        tree = syntax_of(path)
        is_product = path.parts[0] in ("src", "tools", "bench")
        if is_product and tree.body and ast.get_docstring(tree) is None:
            silent.append(str(path))
    assert not silent


@pytest.mark.parametrize("folder", SERVICES, ids=lambda folder: folder.name)
def test_a_service_has_the_rooms_of_every_service(folder: Path) -> None:
    present = {path.name for path in folder.iterdir() if path.name != "__pycache__"}
    assert present >= REQUIRED
    has_store = bool(present & {"store.py", "store"})
    assert has_store is (folder.name not in KEEPS_NOTHING), "only `store` knows keys"


@pytest.mark.parametrize("folder", SERVICES, ids=lambda folder: folder.name)
def test_a_domain_file_says_what_its_idea_is(folder: Path) -> None:
    ideas = [path for path in folder.iterdir() if path.name not in ROOMS]
    for path in ideas:
        if path.name in ("__pycache__", "shapes.py"):
            continue
        file = path / "__init__.py" if path.is_dir() else path
        assert ast.get_docstring(ast.parse(file.read_text())), f"{file} does not say what it is"


@pytest.mark.parametrize("folder", SERVICES, ids=lambda folder: folder.name)
def test_the_manifest_holds_no_logic(folder: Path) -> None:
    tree = ast.parse((folder / "__init__.py").read_text())
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For | ast.While | ast.Try)]
    assert not loops
