"""Limits and errors, from the files of those names: their constants, classes and docstrings."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import cumulet
from cumulet.core.errors import AwsError, Generic
from generated import NOTE
from generated.commands import cell

SOURCE = Path(cumulet.__file__).parent
NO_BOUNDS = ("KIB", "MIB", "GIB")
LINK = re.compile(r"(?<![(\[<`])https://\S+[^\s.,;)]")


def files(name: str) -> Iterator[tuple[str, ModuleType]]:
    """Modules of this name, each with the room it belongs to: services by name, then the rest."""
    found = {str(path.relative_to(SOURCE).parent): path for path in SOURCE.rglob(f"{name}.py")}
    for room in sorted(found):
        dotted = ".".join(["cumulet", *Path(room).parts, name])
        title = room.removeprefix("services/").replace("lambda_", "lambda").replace("/", ", ")
        yield title, importlib.import_module(dotted)


def linked(text: str) -> str:
    """Text as it may stand in a table, its addresses as links."""
    return LINK.sub(lambda found: f"[AWS]({found[0]})", cell(text))


def shown(value: Any) -> str:
    """A value as people read it; empty when it is no bound."""
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int | float):
        return f"{value:,.10g}" if isinstance(value, float) else f"{value:,}"
    if isinstance(value, tuple) and all(isinstance(one, int | float) for one in value):
        return ", ".join(f"{one:,}" for one in value)
    return ""


def constants(module: ModuleType) -> Iterator[tuple[str, Any, str]]:
    """Names, values and meanings; a comment with a link stands for all names up to a blank line."""
    text = inspect.getsource(module)
    lines, tree = text.splitlines(), ast.parse(text)
    for body, values in bodies(tree.body, module):
        for node, after in zip(body, [*body[1:], None], strict=True):
            name = assigned(node)
            if name is None or name not in values:
                continue
            said = docstring(after) or " ".join(comments_above(lines, node.lineno))
            yield name, values[name], said


def bodies(
    body: list[ast.stmt], module: ModuleType
) -> Iterator[tuple[list[ast.stmt], dict[str, Any]]]:
    """The module's own body, and those of its dataclasses, each with its values by name."""
    yield body, vars(module)
    for node in body:
        if isinstance(node, ast.ClassDef) and dataclasses.is_dataclass(vars(module)[node.name]):
            fields = dataclasses.fields(vars(module)[node.name])
            yield node.body, {one.name: one.default for one in fields}


def assigned(node: ast.stmt) -> str | None:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    return None


def docstring(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return str(node.value.value)
    return ""


def comments_above(lines: list[str], line: int) -> list[str]:
    """The comment over the paragraph that a line is in."""
    above: list[str] = []
    for one in reversed(lines[: line - 1]):
        if one.strip().startswith("#"):
            above.insert(0, one.strip().removeprefix("#").strip())
        elif above or not one.strip():
            break
    return above


def limits_page() -> str:
    lines = [
        "# Limits\n",
        NOTE,
        "Everything is bounded, and each bound has a name: those that AWS documents, with AWS's",
        "page, and those of this cloud's own. The unit is in the name.\n",
    ]
    for title, module in files("limits"):
        rows = [
            f"| `{name}` | {number} | {linked(said)} |"
            for name, value, said in constants(module)
            if (number := shown(value)) and not name.startswith("_") and name not in NO_BOUNDS
        ]
        if rows:
            lines += [f"## {title}\n", "| name | value | |", "|---|---|---|", *rows, ""]
    return "\n".join(lines)


def errors_page() -> str:
    lines = [
        "# Errors\n",
        NOTE,
        "Errors are AWS's own: their codes, their forms in each protocol, and as far as we know",
        "their words. A status is given where it is not the one of AWS's model.\n",
        "## All services\n",
        *error_rows(importlib.import_module("cumulet.core.errors")),
    ]
    for title, module in files("errors"):
        if title != "core" and (rows := error_rows(module)):
            lines += [f"## {title}\n", *rows]
    return "\n".join(lines)


def error_rows(module: ModuleType) -> list[str]:
    found = [
        one
        for one in vars(module).values()
        if inspect.isclass(one) and issubclass(one, AwsError) and one.__module__ == module.__name__
    ]
    rows = [
        f"| `{one.__name__}` | {one.status or ''} | {linked(inspect.getdoc(one) or '')} |"
        for one in found
        if one not in (AwsError, Generic) and not one.__name__.startswith("_")
    ]
    return ["| error | status | when |", "|---|---|---|", *rows, ""] if rows else []
