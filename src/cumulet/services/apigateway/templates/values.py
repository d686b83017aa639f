"""Values as the Java behind API Gateway prints, compares and calls them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from cumulet.services.apigateway.rules.patterns import (
    MATCH_SECONDS_MAX,
    BadPattern,
    Overlong,
    Pattern,
    compile_pattern,
    fits,
)
from cumulet.services.apigateway.templates.nodes import TemplateError

TEXT_LENGTH_MAX = 10_485_760
"""No value and no rendered template may be longer."""


class Host(Protocol):
    """An object of API Gateway's own, such as `$input`."""

    def read(self, name: str) -> Any:
        """A property, or None."""
        ...

    def call(self, name: str, arguments: list[Any]) -> Any:
        """The result of a method, or None when there is none of that name."""
        ...


class JsonList(list[Any]):
    """A list that came from JSON: it prints as JSON, where a list of the template does not."""


def from_json(value: Any) -> Any:
    """A decoded JSON value with its lists marked as such."""
    if isinstance(value, dict):
        return {key: from_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return JsonList(from_json(item) for item in value)
    return value


def to_text(value: Any) -> str:
    """How a value prints; nothing prints as nothing."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case JsonList():
            return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        case list():
            return f"[{', '.join(map(_inner_text, value))}]"
        case dict():
            pairs = (f"{_inner_text(key)}={_inner_text(item)}" for key, item in value.items())
            return f"{{{', '.join(pairs)}}}"
    return str(value)


def _inner_text(value: Any) -> str:
    return "null" if value is None else to_text(value)


def is_true(value: Any) -> bool:
    """Only false is false: API Gateway takes what is not there for an empty text."""
    return value is not False


def equal(left: Any, right: Any) -> bool:
    """Equality: numbers by value, values of different types by how they print."""
    if isinstance(left, bool) or isinstance(right, bool):
        return to_text(left) == to_text(right)
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return left == right
    if type(left) is type(right):
        return bool(left == right)
    return to_text(left) == to_text(right)


def _substring(text: str, begin: int, end: int | None = None) -> str | None:
    last = len(text) if end is None else end
    return text[begin:last] if 0 <= begin <= last <= len(text) else None


def _java_pattern(pattern: str) -> Pattern | None:
    try:
        return compile_pattern(pattern, dots_match_all=False)
    except BadPattern:
        return None


def _replacement(text: str) -> str:
    """Java's `$1` as Python's `\\g<1>`."""
    return re.sub(r"\$(\d)", r"\\g<\1>", text.replace("\\", "\\\\"))


def _replace_all(text: str, pattern: str, by: str, count: int = 0) -> str | None:
    compiled = _java_pattern(pattern)
    if compiled is None:
        return None
    return compiled.sub(_replacement(by), text, count=count, timeout=MATCH_SECONDS_MAX)


def _split(text: str, pattern: str, limit: int = 0) -> list[str] | None:
    compiled = _java_pattern(pattern)
    if compiled is None:
        return None
    found = compiled.split(text, maxsplit=max(0, limit - 1), timeout=MATCH_SECONDS_MAX)
    parts = [part or "" for part in found]
    if limit == 0:
        while len(parts) > 1 and not parts[-1]:
            parts.pop()
    return parts


def _matches(text: str, pattern: str) -> bool:
    compiled = _java_pattern(pattern)
    return compiled is not None and fits(compiled, text)


_TEXT: Mapping[str, Callable[..., Any]] = {
    "length": len,
    "isEmpty": lambda text: not text,
    "equals": lambda text, other: text == other,
    "equalsIgnoreCase": lambda text, other: text.lower() == str(other).lower(),
    "contains": lambda text, part: to_text(part) in text,
    "startsWith": lambda text, part: text.startswith(part),
    "endsWith": lambda text, part: text.endswith(part),
    "indexOf": lambda text, part, begin=0: text.find(part, begin),
    "lastIndexOf": lambda text, part: text.rfind(part),
    "substring": _substring,
    "toLowerCase": str.lower,
    "toUpperCase": str.upper,
    "trim": str.strip,
    "concat": lambda text, other: text + other,
    "charAt": lambda text, at: text[at] if 0 <= at < len(text) else None,
    "replace": lambda text, old, new: text.replace(old, new),
    "replaceAll": _replace_all,
    "replaceFirst": lambda text, pattern, by: _replace_all(text, pattern, by, 1),
    "split": _split,
    "matches": _matches,
    "compareTo": lambda text, other: (text > other) - (text < other),
}


def _at(items: list[Any], index: Any) -> Any:
    if not isinstance(index, int) or isinstance(index, bool):
        return None
    return items[index] if -len(items) <= index < len(items) else None


def _set_at(items: list[Any], index: int, value: Any) -> Any:
    old = _at(items, index)
    if 0 <= index < len(items):
        items[index] = value
    return old


def _remove_from(items: list[Any], which: Any) -> Any:
    if isinstance(which, int):
        return items.pop(which) if 0 <= which < len(items) else None
    if which in items:
        items.remove(which)
        return True
    return False


_LIST: Mapping[str, Callable[..., Any]] = {
    "size": len,
    "isEmpty": lambda items: not items,
    "get": _at,
    "set": _set_at,
    "add": lambda items, value: items.append(value) or True,
    "addAll": lambda items, values: items.extend(values) or True,
    "remove": _remove_from,
    "contains": lambda items, value: any(equal(item, value) for item in items),
    "indexOf": lambda items, value: items.index(value) if value in items else -1,
    "subList": lambda items, begin, end: items[begin:end],
}


def _put(entries: dict[Any, Any], key: Any, value: Any) -> Any:
    old = entries.get(key)
    entries[key] = value
    return old


_MAP: Mapping[str, Callable[..., Any]] = {
    "size": len,
    "isEmpty": lambda entries: not entries,
    "get": lambda entries, key: entries.get(key),
    "getOrDefault": lambda entries, key, default: entries.get(key, default),
    "put": _put,
    "putAll": lambda entries, others: entries.update(others),
    "remove": lambda entries, key: entries.pop(key, None),
    "containsKey": lambda entries, key: key in entries,
    "containsValue": lambda entries, value: value in entries.values(),
    "keySet": list,
    "values": lambda entries: list(entries.values()),
    "entrySet": lambda entries: [{"key": key, "value": value} for key, value in entries.items()],
    "getKey": lambda entry: entry.get("key"),
    "getValue": lambda entry: entry.get("value"),
}


def _parse_number(_: Any, text: str) -> int | float | None:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return None


_NUMBER: Mapping[str, Callable[..., Any]] = {
    "intValue": int,
    "longValue": int,
    "doubleValue": float,
    "parseInt": _parse_number,
    "parseLong": _parse_number,
    "parseDouble": _parse_number,
    "valueOf": _parse_number,
}


def read_property(value: Any, name: str) -> Any:
    """`value.name`: a map's entry, a host's property, or a few that Java's types have."""
    if isinstance(value, dict):
        return value.get(name)
    if hasattr(value, "read"):
        return value.read(name)
    if name == "empty" and isinstance(value, (str, list)):
        return not value
    return None


def call_method(value: Any, name: str, arguments: list[Any]) -> Any:
    """`value.name(arguments)`; None when there is no such method or it does not fit."""
    if hasattr(value, "call"):
        return value.call(name, arguments)
    if name == "toString" and value is not None and not arguments:
        return to_text(value)
    if name == "equals" and len(arguments) == 1:
        return equal(value, arguments[0])
    methods: Mapping[str, Callable[..., Any]] = {}
    match value:
        case str():
            methods = _TEXT
        case list():
            methods = _LIST
        case dict():
            methods = _MAP
        case int() | float():
            methods = _NUMBER
    method = methods.get(name)
    if method is None:
        return None
    try:
        return method(value, *arguments)
    except (TimeoutError, Overlong) as cause:
        raise TemplateError(f"a pattern took longer than {MATCH_SECONDS_MAX} s") from cause
    except (TypeError, ValueError, AttributeError, KeyError, IndexError, re.error):
        return None


def read_index(value: Any, key: Any) -> Any:
    """`value[key]`, or None."""
    if isinstance(value, dict):
        return value.get(key) if key in value else value.get(to_text(key))
    return _at(value, key) if isinstance(value, list) else None
