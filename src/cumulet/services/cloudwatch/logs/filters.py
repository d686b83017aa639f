"""Filter patterns: text, JSON and space-delimited, as functions of a message. Pure.

Follows https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

Matches = Callable[[str], bool]

_TERM = re.compile(r'([?-]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]*)%|(\S+))\s*')
_REGEX_CHARACTERS = re.compile(r"[\w\s#=@/;,.:^$?\[\]{}|\\*+()<>!&\"'~`-]*\Z", re.ASCII)
_TOKEN = re.compile(
    r"""\s*(?:(?P<op>&&|\|\||!=|>=|<=|=|>|<|\(|\))
    |"(?P<quoted>(?:[^"\\]|\\.)*)"
    |%(?P<regex>[^%]*)%
    |(?P<path>\$(?:\.[\w*-]+|\[(?:\d+|\*|'[^']*'|"[^"]*")\])*)
    |(?P<word>[^\s()&|=<>!,\[\]{}"]+))""",
    re.VERBOSE,
)
_DEPTH_MAX = 10
_ABSENT = object()


def parse_filter(pattern: str) -> Matches:
    """The pattern as a test of one message. Raises ValueError when it is not a pattern."""
    text = pattern.strip()
    if not text:
        return lambda message: True
    if text.startswith("{"):
        if not text.endswith("}"):
            raise ValueError("Invalid character(s) in term")
        return _json_filter(text[1:-1])
    if text.startswith("["):
        if not text.endswith("]"):
            raise ValueError("Invalid character(s) in term")
        return _delimited_filter(text[1:-1])
    return _text_filter(text)


def _regex(text: str) -> re.Pattern[str]:
    # AWS takes a small regular language; refusing groups of repeats keeps matching linear enough.
    if not _REGEX_CHARACTERS.match(text) or re.search(r"[*+}]\)?[*+{]", text) or "(" in text:
        raise ValueError("Invalid regular expression in filter pattern")
    try:
        return re.compile(text)
    except re.error as cause:
        raise ValueError("Invalid regular expression in filter pattern") from cause


def _text_filter(text: str) -> Matches:
    needed: list[Matches] = []
    any_of: list[Matches] = []
    refused: list[Matches] = []
    position = 0
    while position < len(text):
        found = _TERM.match(text, position)
        if found is None:
            raise ValueError("Invalid character(s) in term")
        position = found.end()
        sign, quoted, regex, word = found.groups()
        if word is not None and re.search(r'["{}\[\]]', word):
            raise ValueError(f"Invalid character(s) in term '{word}'")
        kind = {"?": any_of, "-": refused, "": needed}[sign]
        kind.append(_term(quoted, regex, word))
    return lambda message: (
        all(has(message) for has in needed)
        and (not any_of or bool(needed) or any(has(message) for has in any_of))
        and not any(has(message) for has in refused)
    )


def _term(quoted: str | None, regex: str | None, word: str | None) -> Matches:
    if regex is not None:
        found = _regex(regex)
        return lambda message: found.search(message) is not None
    text = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else word or ""
    return lambda message: text in message


class _Tokens:
    """The tokens of a JSON or column condition, read one by one."""

    def __init__(self, text: str) -> None:
        self.items: list[tuple[str, str]] = []
        position = 0
        while text[position:].strip():
            found = _TOKEN.match(text, position)
            if found is None or found.end() == position:
                raise ValueError(f"Invalid filter pattern near '{text[position:].strip()[:20]}'")
            kind = str(found.lastgroup)
            self.items.append((kind, found.group(kind)))
            position = found.end()
        self.position = 0

    def peek(self) -> tuple[str, str]:
        return self.items[self.position] if self.position < len(self.items) else ("end", "")

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self.position += 1
        return token

    def take_word(self, *words: str) -> bool:
        kind, text = self.peek()
        if kind == "word" and text.upper() in words:
            self.position += 1
            return True
        return False


Test = Callable[[Any], bool]


def _either(tokens: _Tokens, depth: int, atom: Callable[[_Tokens], Test]) -> Test:
    choices = [_both(tokens, depth, atom)]
    while tokens.peek() == ("op", "||"):
        tokens.take()
        choices.append(_both(tokens, depth, atom))
    return choices[0] if len(choices) == 1 else lambda value: any(one(value) for one in choices)


def _both(tokens: _Tokens, depth: int, atom: Callable[[_Tokens], Test]) -> Test:
    parts = [_one(tokens, depth, atom)]
    while tokens.peek() == ("op", "&&"):
        tokens.take()
        parts.append(_one(tokens, depth, atom))
    return parts[0] if len(parts) == 1 else lambda value: all(one(value) for one in parts)


def _one(tokens: _Tokens, depth: int, atom: Callable[[_Tokens], Test]) -> Test:
    if tokens.peek() != ("op", "("):
        return atom(tokens)
    if depth >= _DEPTH_MAX:
        raise ValueError("Invalid filter pattern: too deeply nested")
    tokens.take()
    inner = _either(tokens, depth + 1, atom)
    if tokens.take() != ("op", ")"):
        raise ValueError("Invalid filter pattern: a parenthesis is not closed")
    return inner


def _json_filter(text: str) -> Matches:
    tokens = _Tokens(text)
    test = _either(tokens, 0, _json_condition)
    if tokens.peek()[0] != "end":
        raise ValueError("Invalid filter pattern")

    def matches(message: str) -> bool:
        if not message.lstrip().startswith(("{", "[")):
            return False
        try:
            return test(json.loads(message))
        except (ValueError, RecursionError):
            return False

    return matches


def _json_condition(tokens: _Tokens) -> Test:
    kind, path = tokens.take()
    if kind != "path":
        raise ValueError("Invalid filter pattern: a selector begins with $")
    steps = steps_of(path)
    if tokens.take_word("NOT"):
        if not tokens.take_word("EXISTS"):
            raise ValueError("Invalid filter pattern: expected NOT EXISTS")
        return lambda value: not select_in(value, steps)
    if tokens.take_word("EXISTS"):
        return lambda value: bool(select_in(value, steps))
    if tokens.take_word("IS"):
        kind, word = tokens.take()
        wanted = {"TRUE": True, "FALSE": False, "NULL": None}.get(word.upper(), _ABSENT)
        if wanted is _ABSENT:
            raise ValueError("Invalid filter pattern: expected IS TRUE, IS FALSE or IS NULL")
        return lambda value: any(found is wanted for found in select_in(value, steps))
    compare = _comparison(tokens)
    return lambda value: any(compare(found) for found in select_in(value, steps))


def steps_of(path: str) -> list[str | int]:
    """The steps of a selector such as `$.a.b[0]`."""
    steps: list[str | int] = []
    for name, index in re.findall(r"\.([\w*-]+)|\[([^\]]*)\]", path):
        if name:
            steps.append(name)
        elif index.isdigit():
            steps.append(int(index))
        else:
            steps.append(index.strip("'\""))
    return steps


def select_in(value: Any, steps: list[str | int]) -> list[Any]:
    """What the steps lead to; several with `*`, none when there is nothing."""
    found = [value]
    for step in steps:
        following: list[Any] = []
        for item in found:
            if isinstance(item, dict):
                following.extend(item.values() if step == "*" else _member(item, step))
            elif isinstance(item, list):
                following.extend(item if step == "*" else _item(item, step))
        found = following
    return found


def _member(value: dict[str, Any], step: str | int) -> list[Any]:
    return [value[step]] if step in value and isinstance(step, str) else []


def _item(value: list[Any], step: str | int) -> list[Any]:
    return [value[step]] if isinstance(step, int) and step < len(value) else []


def _comparison(tokens: _Tokens) -> Test:
    kind, operator = tokens.take()
    if kind != "op" or operator not in ("=", "!=", ">", "<", ">=", "<="):
        raise ValueError("Invalid filter pattern: expected a comparison")
    kind, text = tokens.take()
    if kind not in ("quoted", "word", "regex"):
        raise ValueError("Invalid filter pattern: expected a value")
    if operator in ("=", "!="):
        equal = _equality(kind, text)
        return equal if operator == "=" else lambda value: not equal(value)
    try:
        limit = float(text)
    except ValueError:
        raise ValueError("Invalid filter pattern: expected a number") from None
    compare: dict[str, Callable[[float], bool]] = {
        ">": lambda number: number > limit,
        "<": lambda number: number < limit,
        ">=": lambda number: number >= limit,
        "<=": lambda number: number <= limit,
    }
    test = compare[operator]

    def holds(value: Any) -> bool:
        number = _number(value)
        return number is not None and test(number)

    return holds


def _equality(kind: str, text: str) -> Test:
    if kind == "regex":
        found = _regex(text)
        return lambda value: isinstance(value, str) and found.search(value) is not None
    plain = re.sub(r"\\(.)", r"\1", text) if kind == "quoted" else text
    wanted = None if kind == "quoted" else _number(plain)

    def equal(value: Any) -> bool:
        if wanted is not None and (number := _number(value)) is not None:
            return number == wanted
        if isinstance(value, bool) or value is None or isinstance(value, (dict, list)):
            return False
        return (
            fnmatchcase(str(value), plain.replace("[", "[[]"))
            if "*" in plain
            else (str(value) == plain)
        )

    return equal


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _delimited_filter(text: str) -> Matches:
    columns: list[Test | None] = []
    rest = -1
    for index, column in enumerate(part.strip() for part in text.split(",")):
        if column == "...":
            rest = index
            columns.append(None)
        elif re.fullmatch(r"[\w$-]*", column):
            columns.append(None)
        else:
            tokens = _Tokens(column)
            columns.append(_either(tokens, 0, _column_condition))
            if tokens.peek()[0] != "end":
                raise ValueError("Invalid filter pattern")

    def matches(message: str) -> bool:
        values = columns_of(message)
        wanted = columns
        if rest >= 0:
            missing = len(values) - (len(columns) - 1)
            if missing < 0:
                return False
            wanted = columns[:rest] + [None] * missing + columns[rest + 1 :]
        return len(values) == len(wanted) and all(
            test is None or test(value) for test, value in zip(wanted, values, strict=True)
        )

    return matches


def columns_of(message: str) -> list[str]:
    """The words of a message; what is quoted or in brackets is one."""
    fields = re.findall(r'"((?:[^"\\]|\\.)*)"|\[([^\]]*)\]|(\S+)', message)
    return [quoted or bracketed or word for quoted, bracketed, word in fields]


def _column_condition(tokens: _Tokens) -> Test:
    if tokens.take()[0] != "word":
        raise ValueError("Invalid filter pattern: expected a column's name")
    return _comparison(tokens)
