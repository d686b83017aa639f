"""Which route a path belongs to. Pure.

A literal segment goes before a `{variable}`, which goes before a greedy `{proxy+}`; among those
that have the method, or ANY, the most particular one wins, and `$default` takes what is left.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import unquote

from cumulet.services.apigateway.rules.names import ANY

R = TypeVar("R")


@dataclass(slots=True)
class _Node(Generic[R]):
    literals: dict[str, _Node[R]] = field(default_factory=dict)
    variable: _Node[R] | None = None
    greedy: dict[str, tuple[R, tuple[str, ...]]] = field(default_factory=dict)
    methods: dict[str, tuple[R, tuple[str, ...]]] = field(default_factory=dict)


class Router(Generic[R]):
    """The routes of one deployment by their keys; made once, never changed."""

    def __init__(self, routes: Iterable[tuple[str, R]]) -> None:
        self._root: _Node[R] = _Node()
        self._literal: dict[tuple[str, str], R] = {}
        self.default: R | None = None
        for key, route in routes:
            method, _, path = key.partition(" ")
            if not path:
                self.default = route
            else:
                self._add(method, path, route)

    def _add(self, method: str, path: str, route: R) -> None:
        if "{" not in path:
            self._literal[method, path] = route
        node = self._root
        names: list[str] = []
        for part in segments_of(path):
            if part.startswith("{") and part.endswith("+}"):
                node.greedy[method] = (route, (*names, part[1:-2]))
                return
            if part.startswith("{") and part.endswith("}"):
                names.append(part[1:-1])
                if node.variable is None:
                    node.variable = _Node()
                node = node.variable
            else:
                node = node.literals.setdefault(part, _Node())
        node.methods[method] = (route, tuple(names))

    def find(self, method: str, path: str) -> tuple[R, dict[str, str]] | None:
        """The route and its path variables, decoded; None when nothing matches.

        `path` begins with a slash and is percent-encoded. A final slash makes another path.
        """
        exact = self._literal.get((method, path))
        if exact is not None:
            return exact, {}
        values: list[str] = []
        found = _descend(self._root, segments_of(path), 0, method, values)
        if found is not None:
            route, names = found
            return route, dict(zip(names, map(unquote, reversed(values)), strict=True))
        return None if self.default is None else (self.default, {})


def segments_of(path: str) -> list[str]:
    """What is between the slashes; the root has nothing."""
    return path[1:].split("/") if path not in ("", "/") else []


def _of(
    methods: dict[str, tuple[R, tuple[str, ...]]], method: str
) -> tuple[R, tuple[str, ...]] | None:
    found = methods.get(method)
    return found if found is not None else methods.get(ANY)


def _descend(
    node: _Node[R], segments: list[str], at: int, method: str, values: list[str]
) -> tuple[R, tuple[str, ...]] | None:
    """Each node is tried at most once, as its depth is fixed. Values are gathered from the end."""
    if at == len(segments):
        return _of(node.methods, method) if node.methods else None
    segment = segments[at]
    literal = node.literals.get(segment)
    if literal is None and "%" in segment:
        literal = node.literals.get(unquote(segment))
    if literal is not None:
        found = _descend(literal, segments, at + 1, method, values)
        if found is not None:
            return found
    if node.variable is not None and segment:
        found = _descend(node.variable, segments, at + 1, method, values)
        if found is not None:
            values.append(segment)
            return found
    if node.greedy:
        rest = "/".join(segments[at:])
        found = _of(node.greedy, method) if rest else None
        if found is not None:
            values.append(rest)
            return found
    return None
