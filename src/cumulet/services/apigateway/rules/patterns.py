"""Regular expressions that users write, compared with the texts of strangers: bounded in time.

The engine stops a comparison after a given time, which Python's own cannot; it also reads nearly
all that Java's does. https://docs.oracle.com/javase/8/docs/api/java/util/regex/Pattern.html
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Protocol, cast

import regex

PATTERN_LENGTH_MAX = 10_000
MATCH_SECONDS_MAX = 0.05
"""One comparison. Ours; such patterns take microseconds unless they go back over and over."""


PATTERN_WEIGHT_MAX = 20_000
"""Pieces of a pattern with counted repetitions written out. Ours: compiling takes memory by it."""

_TOKEN = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(?P<least>\d*)(?:,(?P<most>\d*))?\}|.", re.DOTALL
)


class BadPattern(ValueError):
    """The text is no regular expression."""


class Overlong(ValueError):
    """A comparison was ended because it took too long."""


class Pattern(Protocol):
    """The part of a compiled pattern that is used here. `timeout` is in seconds."""

    def fullmatch(self, text: str, *, timeout: float) -> Any:
        """A match of the whole text, or None. Raises TimeoutError."""

    def search(self, text: str, *, timeout: float) -> Any:
        """A match anywhere in the text, or None. Raises TimeoutError."""

    def sub(self, by: str, text: str, *, count: int, timeout: float) -> str:
        """The text with what matches replaced. Raises TimeoutError."""
        ...

    def split(self, text: str, *, maxsplit: int, timeout: float) -> list[str | None]:
        """The pieces between what matches. Raises TimeoutError."""
        ...


@lru_cache(maxsize=1_000)
def compile_pattern(text: str, *, dots_match_all: bool = True) -> Pattern:
    """The pattern; `.` matches line ends too, unless told otherwise. Raises BadPattern."""
    if len(text) > PATTERN_LENGTH_MAX:
        raise BadPattern("the pattern is too long")
    if _weight(text) > PATTERN_WEIGHT_MAX:
        raise BadPattern("the pattern repeats too much")
    try:
        flags = regex.VERSION0 | (regex.DOTALL if dots_match_all else 0)
        return cast(Pattern, regex.compile(text, flags))
    except (regex.error, RecursionError, OverflowError, ValueError) as cause:
        raise BadPattern(str(cause)) from cause


def _weight(text: str) -> int:
    """How many pieces the pattern has when repetitions by count are written out."""
    sums, last = [0], 0
    for token in _TOKEN.finditer(text):
        if token["least"] is not None and (token["least"] or token["most"]):
            times = max(int(token["least"][:9] or 0), int((token["most"] or "0")[:9]), 1)
            sums[-1] += last * (times - 1)
            last *= times
        elif token[0] == "(":
            sums.append(0)
            last = 0
        elif token[0] == ")" and len(sums) > 1:
            last = sums.pop()
            sums[-1] += last
        elif token[0] not in "*+?|":
            last = 1
            sums[-1] += 1
        if sums[-1] > PATTERN_WEIGHT_MAX:
            break
    return max(sums)


def fits(pattern: Pattern, text: str, seconds: float = MATCH_SECONDS_MAX) -> bool:
    """Whether the whole text fits. Raises Overlong."""
    try:
        return pattern.fullmatch(text, timeout=seconds) is not None
    except TimeoutError as cause:
        raise Overlong(f"a comparison took longer than {seconds} s") from cause


def is_in(pattern: Pattern, text: str, seconds: float = MATCH_SECONDS_MAX) -> bool:
    """Whether some part of the text fits. Raises Overlong."""
    try:
        return pattern.search(text, timeout=seconds) is not None
    except TimeoutError as cause:
        raise Overlong(f"a comparison took longer than {seconds} s") from cause
