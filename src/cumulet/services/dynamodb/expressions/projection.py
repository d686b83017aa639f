"""Projection expressions: the parts of an item that an answer shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cumulet.services.dynamodb.expressions.reading import Reading, find_overlap
from cumulet.services.dynamodb.expressions.tree import Call, Path
from cumulet.services.dynamodb.items.values import Item, Value

Branches = dict[Any, Any]
"""What of a document is wanted: names or numbers to further branches, or None for all there."""


class ProjectionReading(Reading):
    """A projection being read."""

    def read(self) -> list[Path]:
        """The paths. Raises ValidationException."""
        paths = [self.path()]
        while self.take_sign(","):
            paths.append(self.path())
        overlap = find_overlap(paths)
        if overlap is not None:
            self.note("paths", overlap)
        self.finish()
        return paths

    def check_call(self, call: Call) -> None:
        """See `Reading`."""
        raise self.fail()


def branches_of(paths: Iterable[Path]) -> Branches:
    """The paths as one tree."""
    tree: Branches = {}
    for path in paths:
        at = tree
        for part in path.parts[:-1]:
            at = at.setdefault(part, {})
        at[path.parts[-1]] = None
    return tree


def project(item: Mapping[str, Value], branches: Branches) -> Item:
    """What an item has of a tree of paths."""
    found: Item = {}
    for name, inner in branches.items():
        value = item.get(name)
        if value is None:
            continue
        kept = value if inner is None else _project_value(value, inner)
        if kept is not None:
            found[name] = kept
    return found


def _project_value(value: Value, branches: Branches) -> Value | None:
    if "M" in value:
        kept = project(value["M"], branches)
        return {"M": kept} if kept else None
    if "L" not in value:
        return None
    elements = []
    content = value["L"]
    for place in sorted(part for part in branches if isinstance(part, int)):
        if place < len(content):
            inner = branches[place]
            one = content[place] if inner is None else _project_value(content[place], inner)
            if one is not None:
                elements.append(one)
    return {"L": elements} if elements else None
