"""Filter expressions of traces: a useful part of the language. Pure.

https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

from cumulet.services.xray.limits import DEPTH_MAX, EXPRESSION_CHARACTERS_MAX
from cumulet.services.xray.segments import Document, Part, Summary, parts_of

_TOKEN = re.compile(
    r"""\s*(?:"(?P<text>(?:[^"\\]|\\.)*)"|(?P<number>-?\d+\.?\d*)
    |(?P<op><=|>=|!=|[=<>!(){},:])
    |(?P<name>[A-Za-z][\w.]*(?:\[[^\]]+\])?))""",
    re.VERBOSE,
)
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_TEXTUAL: dict[str, Callable[[str, str], bool]] = {
    "CONTAINS": lambda value, part: part in value,
    "BEGINSWITH": str.startswith,
    "ENDSWITH": str.endswith,
}
_HTTP = {
    "http.url": "HttpURL",
    "http.status": "HttpStatus",
    "http.method": "HttpMethod",
    "http.useragent": "UserAgent",
    "http.clientip": "ClientIp",
}


class BadExpression(Exception):
    """The expression cannot be read; the message says why."""


class Seen(NamedTuple):
    """A trace as expressions see it."""

    summary: Summary
    documents: Sequence[Document]


Test: TypeAlias = Callable[[Seen], bool]
_Values: TypeAlias = Callable[[Seen], Iterable[Any]]


def parse_expression(text: str) -> Test:
    """The expression as a test of a trace. Raises BadExpression."""
    if len(text) > EXPRESSION_CHARACTERS_MAX:
        raise BadExpression(f"it is longer than {EXPRESSION_CHARACTERS_MAX} characters")
    reader = _Reader(text)
    if reader.peek()[0] == "end":
        return lambda seen: True
    test = reader.either(0)
    if reader.peek()[0] != "end":
        raise BadExpression(f"unexpected '{reader.peek()[1]}'")
    return test


_FLAGS: dict[str, Test] = {
    "fault": lambda seen: seen.summary.fault,
    "error": lambda seen: seen.summary.error,
    "throttle": lambda seen: seen.summary.throttle,
    "partial": lambda seen: seen.summary.is_partial,
    "ok": lambda seen: not (seen.summary.fault or seen.summary.error or seen.summary.throttle),
}
_FIGURES: dict[str, _Values] = {
    "duration": lambda seen: (seen.summary.duration,),
    "responsetime": lambda seen: (seen.summary.response,),
    "user": lambda seen: seen.summary.users,
    "name": lambda seen: [one["Name"] for one in seen.summary.services],
}


class _Reader:
    """The tokens of an expression, read one by one."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None:
                raise BadExpression(f"unexpected '{text[at:].strip()[:10]}'")
            kind = str(found.lastgroup)
            self._tokens.append((kind, found.group(kind)))
            at = found.end()
        self._at = 0

    def peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _take(self) -> tuple[str, str]:
        token = self.peek()
        self._at += 1
        return token

    def _take_op(self, text: str) -> bool:
        if self.peek() != ("op", text):
            return False
        self._at += 1
        return True

    def _need(self, text: str) -> None:
        if not self._take_op(text):
            raise BadExpression(f"expected '{text}'")

    def _word(self, *words: str) -> str:
        kind, text = self.peek()
        if kind == "name" and text.upper() in words:
            self._at += 1
            return text.upper()
        return ""

    def either(self, depth: int) -> Test:
        """Tests with OR between them."""
        tests = [self._both(depth)]
        while self._word("OR"):
            tests.append(self._both(depth))
        return tests[0] if len(tests) == 1 else lambda seen: any(one(seen) for one in tests)

    def _both(self, depth: int) -> Test:
        tests = [self._one(depth)]
        while self._word("AND"):
            tests.append(self._one(depth))
        return tests[0] if len(tests) == 1 else lambda seen: all(one(seen) for one in tests)

    def _one(self, depth: int) -> Test:
        if depth > DEPTH_MAX:
            raise BadExpression("it is too deeply nested")
        if self._take_op("!") or self._word("NOT"):
            inner = self._one(depth + 1)
            return lambda seen: not inner(seen)
        if self._take_op("("):
            inner = self.either(depth + 1)
            self._need(")")
            return inner
        kind, name = self._take()
        if kind != "name":
            raise BadExpression(f"unexpected '{name}'" if name else "it ends too early")
        if name.lower() in _FLAGS:
            return self._flag(_FLAGS[name.lower()])
        if name.lower() == "service" and self.peek() == ("op", "("):
            return self._service()
        return self._compared(_values_of(name))

    def _flag(self, test: Test) -> Test:
        for sign in ("=", "!="):
            if self._take_op(sign):
                word = self._word("TRUE", "FALSE")
                if not word:
                    raise BadExpression("expected true or false")
                if (word == "TRUE") == (sign == "="):
                    return test
                return lambda seen: not test(seen)
        return test

    def _service(self) -> Test:
        """`service("name")`, and what holds there: `service("name") { fault }`."""
        self._need("(")
        kind, name = self._take()
        if kind != "text":
            raise BadExpression("expected the name of a service")
        self._need(")")
        flags: list[str] = []
        if self._take_op("{"):
            while not self._take_op("}"):
                flag = self._word("FAULT", "ERROR", "THROTTLE", "OK")
                if not flag:
                    raise BadExpression("expected fault, error, throttle or ok")
                flags.append(flag.lower())
        return lambda seen: any(
            part.document.get("name") == name and all(_holds(part, one) for one in flags)
            for part in parts_of(seen.documents)
        )

    def _compared(self, values: _Values) -> Test:
        kind, sign = self._take()
        if word := sign.upper() if kind == "name" and sign.upper() in _TEXTUAL else "":
            kind, text = self._take()
            if kind != "text":
                raise BadExpression(f"expected a text after {word}")
            compare = _TEXTUAL[word]
            return lambda seen: any(compare(str(one), text) for one in values(seen))
        if sign not in _COMPARED or kind != "op":
            raise BadExpression(f"expected a comparison at '{sign}'")
        wanted = self._value()
        return lambda seen: any(_compare(sign, one, wanted) for one in values(seen))

    def _value(self) -> Any:
        kind, text = self._take()
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", text)
        if kind == "number":
            return float(text)
        if kind == "name" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        raise BadExpression(f"expected a value at '{text}'")


def _values_of(name: str) -> _Values:
    lowered = name.lower()
    if lowered in _FIGURES:
        return _FIGURES[lowered]
    if lowered in _HTTP:
        key = _HTTP[lowered]
        return lambda seen: [seen.summary.http[key]] if key in seen.summary.http else []
    found = re.fullmatch(r"annotation(?:\.([\w.]+)|\[([^\]]+)\])", name)
    if found is None:
        raise BadExpression(f"the keyword {name} is not supported by Cumulet")
    key = found[1] or found[2]
    return lambda seen: [value for value, _ in seen.summary.annotations.get(key, ())]


def _compare(sign: str, value: Any, wanted: Any) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool):
        return _COMPARED[sign](value, wanted) if sign in ("=", "!=") else False
    numbers = isinstance(value, int | float) and isinstance(wanted, int | float)
    texts = isinstance(value, str) and isinstance(wanted, str)
    if numbers or texts:
        return _COMPARED[sign](value, wanted)
    return sign == "!="


def _holds(part: Part, flag: str) -> bool:
    if flag == "ok":
        return not (part.says("fault") or part.says("error") or part.says("throttle"))
    return part.says(flag)
