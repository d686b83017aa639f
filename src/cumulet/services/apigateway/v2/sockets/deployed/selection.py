"""Selection expressions: `$request.body.action` and all that may stand in one. Pure.

Follows https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-selection-expressions.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cumulet.services.apigateway.templates import BadPath, find
from cumulet.services.apigateway.templates.values import to_text

T = TypeVar("T")

DEFAULT = "$default"
VALUE_LENGTH_MAX = 4_096
"""A longer value selects nothing. Ours."""

_USUAL_KEYS = (DEFAULT, "application/json")
"""Keys of templates when their selection expression selects none: messages count as JSON."""

_PIECE = re.compile(
    r"\\(\$)|\$\{([^}]*)\}|\$((?:request|integration|context|stageVariables)\.[\w.\[\]@$-]*\w\]?)"
)
_UNREAD = object()


@dataclass(slots=True)
class Sources:
    """What expressions may ask for: the message, or the answer of a backend."""

    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    status: int = 0
    _document: Any = _UNREAD

    def at(self, path: str) -> str | None:
        """The value at a dotted path of the JSON body, None when there is none."""
        if self._document is _UNREAD:
            try:
                self._document = json.loads(self.body) if self.body else None
            except (ValueError, RecursionError):
                self._document = None
        document = self._document
        if isinstance(document, dict) and path[1:] in document:
            # Nearly every expression is one name deep.
            return _text(document[path[1:]])
        if not isinstance(document, (dict, list)):
            return None
        try:
            return _text(find(document, "$" + path))
        except BadPath:
            return None

    def header(self, name: str) -> str | None:
        """The value of a header, in whatever case."""
        lowered = name.lower()
        return next((text for key, text in self.headers.items() if key.lower() == lowered), None)

    def of_context(self, name: str) -> str | None:
        """A dotted name of `$context`."""
        value: Any = self.context
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return _text(value)

    def mapped(self, source: str) -> str | None:
        """The right-hand side of a parameter mapping, as `route.request.querystring.room`.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-data-mapping.html
        """
        if source.startswith("'"):
            return source[1:-1]
        owner, _, rest = source.partition(".")
        match owner:
            case "context":
                return self.of_context(rest)
            case "stageVariables":
                return self.variables.get(rest)
            case "route" | "integration" | "method":
                rest = rest.removeprefix("request.").removeprefix("response.")
        place, _, name = rest.partition(".")
        match place.removeprefix("multivalue"):
            case "header":
                return self.header(name)
            case "querystring":
                return self.query.get(name)
        if rest == "body":
            return self.body
        return self.at(rest.removeprefix("body")) if rest.startswith("body") else None


Selection = Callable[[Sources], str | None]
"""The selected text, or None when something that the expression names is not there."""


def compile_selection(expression: str) -> Selection:
    """The function of an expression; a text without `$` names selects itself."""
    parts: list[Callable[[Sources], str | None] | str] = []
    end = 0
    for found in _PIECE.finditer(expression):
        if found.start() > end:
            parts.append(expression[end : found.start()])
        end = found.end()
        escaped, braced, bare = found.groups()
        parts.append(escaped or _reader(braced if braced is not None else bare))
    if end < len(expression):
        parts.append(expression[end:])
    if all(isinstance(part, str) for part in parts):
        fixed = "".join(part for part in parts if isinstance(part, str))
        return lambda _: fixed
    if len(parts) == 1 and callable(parts[0]):
        return parts[0]
    return lambda sources: _joined(parts, sources)


def _joined(parts: list[Callable[[Sources], str | None] | str], sources: Sources) -> str | None:
    values = [part if isinstance(part, str) else part(sources) for part in parts]
    if any(value is None for value in values):
        return None
    return "".join(value for value in values if value is not None)


def _reader(name: str) -> Callable[[Sources], str | None]:
    owner, _, rest = name.partition(".")
    if owner == "integration":
        _, _, rest = rest.partition(".")
    if owner == "context":
        return lambda sources: sources.of_context(rest)
    if owner == "stageVariables":
        return lambda sources: sources.variables.get(rest)
    place, _, what = rest.partition(".")
    match place.partition("[")[0].removeprefix("multivalue"):
        case "body":
            path = rest.removeprefix("body")
            return (lambda sources: sources.at(path)) if path else (lambda sources: sources.body)
        case "header":
            return lambda sources: sources.header(what)
        case "querystring":
            return lambda sources: sources.query.get(what)
        case "statuscode":
            return lambda sources: str(sources.status)
    return lambda _: None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, (dict, list)):
        return None
    text = to_text(value)
    return text if len(text) <= VALUE_LENGTH_MAX else None


def choose_template(templates: Mapping[str, T], selected: str | None) -> T | None:
    """The template under the selected key, else the default one; None when there is neither."""
    for key in (selected, *_USUAL_KEYS):
        if key is not None and key in templates:
            return templates[key]
    return None
