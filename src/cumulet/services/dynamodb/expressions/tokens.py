"""The words of an expression, and the error for a word in the wrong place."""

from __future__ import annotations

import re
from typing import NamedTuple

from cumulet.services.dynamodb.errors import ValidationException

_TOKEN = re.compile(
    r"[ \t\r\n]*(?:([A-Za-z][A-Za-z0-9_]*)|([#:][A-Za-z0-9_]*)|([0-9]+)"
    r"|(<=|>=|<>|[=<>+\-()\[\],.])|(.))",
    re.ASCII | re.DOTALL,
)


class Token(NamedTuple):
    """`kind` is word, name, value, number, sign, end or strange."""

    kind: str
    text: str
    begin: int
    end: int


def tokens_of(text: str) -> list[Token]:
    """Every token of an expression, and one for its end."""
    found: list[Token] = []
    at, size = 0, len(text.rstrip(" \t\r\n"))
    while at < size:
        match = _TOKEN.match(text, at)
        assert match is not None, "the last branch takes any character"
        at = match.end()
        word, placeholder, number, sign, strange = match.groups()
        begin = match.start(match.lastindex or 0)
        if word is not None:
            found.append(Token("word", word, begin, at))
        elif placeholder is not None:
            kind = "name" if placeholder[0] == "#" else "value"
            kind = kind if len(placeholder) > 1 else "strange"
            found.append(Token(kind, placeholder, begin, at))
        elif number is not None:
            found.append(Token("number", number, begin, at))
        elif sign is not None:
            found.append(Token("sign", sign, begin, at))
        else:
            found.append(Token("strange", strange, begin, at))
    found.append(Token("end", "<EOF>", size, size))
    return found


def syntax_error(parameter: str, text: str, tokens: list[Token], at: int) -> ValidationException:
    """The error that names the token at `at`, and shows its neighbours."""
    before = tokens[max(at - 1, 0)]
    after = tokens[min(at + 1, len(tokens) - 1)]
    near = text[before.begin : after.end]
    return ValidationException(
        f'Invalid {parameter}: Syntax error; token: "{tokens[at].text}", near: "{near}"'
    )
