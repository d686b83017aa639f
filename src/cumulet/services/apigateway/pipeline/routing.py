"""Which resource and method a path belongs to. Pure.

A literal part goes before a `{parameter}`, which goes before a greedy `{proxy+}`; among those that
have the method, or ANY, the most particular one wins.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import unquote

from cumulet.services.apigateway.rules.names import ANY, HTTP_METHODS

M = TypeVar("M")

_KNOWN = frozenset(HTTP_METHODS)


@dataclass(slots=True)
class _Node(Generic[M]):
    literals: dict[str, _Node[M]] = field(default_factory=dict)
    parameter: tuple[str, _Node[M]] | None = None
    greedy: tuple[str, dict[str, M]] | None = None
    methods: dict[str, M] = field(default_factory=dict)


class Router(Generic[M]):
    """The routes of one deployment; made once, never changed."""

    def __init__(self, routes: Iterable[tuple[str, dict[str, M]]]) -> None:
        self._root: _Node[M] = _Node()
        self._literal: dict[str, dict[str, M]] = {}
        for path, methods in routes:
            self._add(path, methods)

    def _add(self, path: str, methods: dict[str, M]) -> None:
        node = self._root
        parts = [part for part in path.split("/") if part]
        if "{" not in path:
            self._literal["/" + "/".join(parts)] = methods
        for part in parts:
            if part.startswith("{") and part.endswith("+}"):
                node.greedy = (part[1:-2], methods)
                return
            if part.startswith("{") and part.endswith("}"):
                if node.parameter is None:
                    node.parameter = (part[1:-1], _Node())
                node = node.parameter[1]
            else:
                node = node.literals.setdefault(part, _Node())
        node.methods = methods

    def find(self, method: str, path: str) -> tuple[M, dict[str, str] | None] | None:
        """The method's value and the path parameters, as sent; None when nothing matches.

        `path` begins with one slash, is percent-encoded, and may end with slashes.
        """
        if method not in _KNOWN:
            return None
        trimmed = path.rstrip("/") or "/"
        exact = self._literal.get(trimmed)
        if exact is not None and (value := _method_of(exact, method)) is not None:
            return value, None
        segments = trimmed[1:].split("/") if trimmed != "/" else []
        parameters: dict[str, str] = {}
        found = _descend(self._root, segments, 0, method, parameters)
        return None if found is None else (found, parameters or None)


def _method_of(methods: dict[str, M], method: str) -> M | None:
    found = methods.get(method)
    return found if found is not None else methods.get(ANY)


def _descend(
    node: _Node[M], segments: list[str], at: int, method: str, parameters: dict[str, str]
) -> M | None:
    """Each node is tried at most once, as its depth is fixed: the work is bounded by the tree."""
    if at == len(segments):
        return _method_of(node.methods, method) if node.methods else None
    segment = segments[at]
    literal = node.literals.get(segment)
    if literal is None and "%" in segment:
        literal = node.literals.get(unquote(segment))
    if literal is not None:
        found = _descend(literal, segments, at + 1, method, parameters)
        if found is not None:
            return found
    if node.parameter is not None and segment:
        name, below = node.parameter
        found = _descend(below, segments, at + 1, method, parameters)
        if found is not None:
            parameters[name] = segment
            return found
    if node.greedy is not None:
        name, methods = node.greedy
        value = _method_of(methods, method)
        if value is not None:
            parameters[name] = "/".join(segments[at:])
            return value
    return None
