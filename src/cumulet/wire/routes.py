"""Which REST operation a method and path mean: a tree of path segments from the model's URIs."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

from cumulet.core.http import Request
from cumulet.wire.model import OperationModel, ServiceModel
from cumulet.wire.values.forms import parse_pairs

SEGMENTS_MAX = 64
"""Segments that a path is cut into at most; what follows belongs to a greedy label."""


PATHS_KNOWN_MAX = 1_024
PATH_KNOWN_CHARACTERS_MAX = 256
"""Paths whose place in the tree is remembered: clients ask for the same ones again and again."""


class Route(NamedTuple):
    """One operation at a place of the tree, and what else its requests must show."""

    operation: str
    constants: tuple[tuple[str, str | None], ...]
    """Query keys of the model's URI, with their value when it has one, as in `list-type=2`."""
    queries: tuple[str, ...]
    """Query keys of required members."""
    headers: tuple[str, ...]
    """Headers of required members."""

    @property
    def needs(self) -> int:
        """How many query keys and headers its requests must have."""
        return len(self.queries) + len(self.headers)


class _Place:
    """The routes of one path and method, those that ask for most first."""

    __slots__ = ("bare", "routes")

    def __init__(self) -> None:
        self.routes: list[Route] = []
        self.bare: list[Route] = []
        """Those without constants, the only ones that a request without a query can mean."""

    def add(self, route: Route) -> None:
        """Keep a route in its order."""
        self.routes.append(route)
        self.routes.sort(key=lambda one: (-len(one.constants), -one.needs))
        self.bare = [one for one in self.routes if not one.constants]


class _Node:
    __slots__ = ("greedy", "label", "literals", "places")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.label: _Node | None = None
        self.places: dict[str, _Place] = {}
        self.greedy: dict[str, _Place] = {}


class Router:
    """The operations of one REST service. Made when the service is first called."""

    def __init__(self, model: ServiceModel) -> None:
        self._root = _Node()
        self._known: dict[tuple[str, str], _Place | None] = {}
        self._is_s3 = model.name == "s3"
        seen: set[tuple[str, str]] = set()
        names = model.operation_names
        operations = [found for name in names if (found := model.operation(name)) is not None]
        for operation in sorted(operations, key=lambda one: one.is_deprecated):
            form = (operation.method, operation.uri)
            if operation.is_deprecated and form in seen:
                continue
            seen.add(form)
            self._add(operation)

    def _add(self, operation: OperationModel) -> None:
        path, _, query = operation.uri.partition("?")
        node = self._root
        places = node.places
        for segment in path.strip("/").split("/") if path.strip("/") else []:
            if segment.startswith("{") and segment.endswith("+}"):
                places = node.greedy
                break
            if segment.startswith("{"):
                if node.label is None:
                    node.label = _Node()
                node = node.label
            else:
                node = node.literals.setdefault(segment, _Node())
            places = node.places
        places.setdefault(operation.method, _Place()).add(_route(operation, query))

    def match(self, request: Request) -> str | None:
        """The operation's name, or None when the path and method are no operation's."""
        method, path = request.method, request.path
        try:
            place = self._known[method, path]
        except KeyError:
            place = self._find(self._root, path[1:].split("/", SEGMENTS_MAX), 0, method)
            if len(path) <= PATH_KNOWN_CHARACTERS_MAX:
                if len(self._known) >= PATHS_KNOWN_MAX:
                    self._known.clear()
                self._known[method, path] = place
        if place is None:
            return None
        routes = place.routes if request.query else place.bare
        if len(routes) == 1 and not routes[0].constants and not self._is_s3:
            return routes[0].operation
        return self._choose(routes, request)

    def _find(self, node: _Node, segments: list[str], place: int, method: str) -> _Place | None:
        left = len(segments) - place
        if left == 0 or (left == 1 and segments[place] == ""):
            return node.places.get(method)
        segment = segments[place]
        literal = node.literals.get(unquote(segment) if "%" in segment else segment)
        if literal is not None:
            found = self._find(literal, segments, place + 1, method)
            if found is not None:
                return found
        if node.label is not None and segment:
            found = self._find(node.label, segments, place + 1, method)
            if found is not None:
                return found
        return node.greedy.get(method)

    def _choose(self, routes: list[Route], request: Request) -> str | None:
        """The route with most constants; of those the one that asks for most and gets it.

        When none gets what it asks for, the one that asks for least: the operation then says
        what is missing. S3 has other operations at the same path, so there it must be given.
        """
        query = dict(parse_pairs(request.query)) if request.query else {}
        lacking: Route | None = None
        for route in routes:
            if lacking is not None and len(route.constants) < len(lacking.constants):
                break
            if route.constants and not _has_constants(route, query):
                continue
            if all(map(query.__contains__, route.queries)) and all(
                map(request.headers.__contains__, route.headers)
            ):
                return route.operation
            if route.constants or not self._is_s3:
                lacking = route
        return None if lacking is None else lacking.operation


def _has_constants(route: Route, query: dict[str, str]) -> bool:
    return all(
        key in query and (value is None or query[key] == value) for key, value in route.constants
    )


def _route(operation: OperationModel, query: str) -> Route:
    constants = tuple(
        (key, value if sign else None)
        for key, sign, value in (piece.partition("=") for piece in query.split("&") if piece)
    )
    queries, headers = [], []
    if operation.input is not None:
        for name in operation.input.required:
            member = operation.input.members[name]
            if member.location == "querystring":
                queries.append(member.wire_name(name))
            elif member.location == "header":
                headers.append(member.wire_name(name).lower())
    return Route(operation.name, constants, tuple(queries), tuple(headers))
