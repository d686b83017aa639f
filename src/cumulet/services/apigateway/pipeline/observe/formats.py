"""The lines of access logs, and the bodies of gateway responses: texts with `$context` names. Pure.

Neither is a mapping template: names are replaced by values, and nothing else happens.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

Values = Mapping[str, Any]

_PART = r"[A-Za-z0-9_\-]+"
_CONTEXT = re.compile(rf"\$context((?:\.{_PART})+)")
_ABSENT = "-"
_QUOTED = str.maketrans(
    {
        **{chr(code): f"\\u{code:04x}" for code in (*range(32), 127)},
        '"': '\\"',
        "\\": "\\\\",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
    }
)
_MARKUP = str.maketrans(
    {**{chr(code): "" for code in (*range(32), 127)}, "<": "&lt;", ">": "&gt;", "&": "&amp;"}
)


def value_of(values: Values, name: str) -> Any:
    """The value of a dotted name: under that very key, or through maps in maps; else None."""
    if name in values:
        return values[name]
    at: Any = values
    for part in name.split("."):
        if not isinstance(at, Mapping):
            return None
        at = at.get(part)
    return at


def text_of(value: Any) -> str:
    """How a value is written: flags and maps as JSON has them."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case Mapping() | list():
            return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)
    return str(value)


def compile_format(text: str) -> Callable[[Values], str]:
    """A function from `$context` names (without `$context.`) to one line, without a line end.

    What is not there is written `-`. A value cannot end a line, a quotation or an element: what
    would is escaped, as in XML where the format is XML, and with backslashes elsewhere.
    """
    pieces = _CONTEXT.split(text.rstrip("\n"))
    fixed, names = pieces[::2], [name[1:] for name in pieces[1::2]]
    escapes = _MARKUP if text.lstrip().startswith("<") else _QUOTED

    def write(values: Values) -> str:
        parts = [fixed[0]]
        for name, following in zip(names, fixed[1:], strict=True):
            value = value_of(values, name)
            shown = _ABSENT if value is None or value == "" else text_of(value)
            parts.append(shown.translate(escapes))
            parts.append(following)
        return "".join(parts)

    return write


_ANY_NAME = re.compile(
    rf"\$(context|stageVariables|method\.request\.(?:header|path|querystring))((?:\.{_PART})+)"
)


def compile_substitution(text: str) -> Callable[[Callable[[str, str], str | None]], str]:
    """A gateway response's body: a function that asks for each name by its source.

    `look_up(source, name)` gets `context`, `stageVariables` or `method.request.header` and so on;
    what it does not know is left empty.
    """
    pieces = _ANY_NAME.split(text)

    def write(look_up: Callable[[str, str], str | None]) -> str:
        parts = [pieces[0]]
        for at in range(1, len(pieces), 3):
            parts.append(look_up(pieces[at], pieces[at + 1][1:]) or "")
            parts.append(pieces[at + 2])
        return "".join(parts)

    return write
