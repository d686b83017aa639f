"""Java's regular expressions, as service models have them, translated to Python's."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

SIMPLE_TEXT_MAX = 200_000
"""Characters that are matched against a pattern of one repeated class, which cannot backtrack."""

TEXT_MAX = 2_048
"""Characters that are matched against any other pattern; longer ones have broken their length."""

_SIMPLE = re.compile(r"\^?\(?(\[(?:[^\[\]\\]|\\.)+\]|\.|\\[SDWsdw])[*+]?\)?\$?\Z", re.DOTALL)
_PROPERTY = re.compile(r"\\([pP])(?:\{([^}]+)\}|(\w))")
_CLASS_ESCAPES = frozenset((r"\d", r"\w", r"\s", r"\D", r"\W", r"\S"))
"""Within a class, a dash after one of these is a dash in Java, and an error in Python."""

_NAMED = {
    "ASCII": r"\x00-\x7f",
    "Alnum": "A-Za-z0-9",
    "Alpha": "A-Za-z",
    "Blank": r" \t",
    "Cntrl": r"\x00-\x1f\x7f",
    "Digit": "0-9",
    "Graph": r"\x21-\x7e",
    "Lower": "a-z",
    "Print": r"\x20-\x7e",
    "Punct": r"!-/:-@\[-`{-~",
    "Space": r" \t\n\x0b\f\r",
    "Upper": "A-Z",
    "XDigit": "0-9A-Fa-f",
}
_SCRIPTS = {"IsLatin": r"A-Za-zªºÀ-ÖØ-öø-ʸ", "InBasicLatin": r"\x00-\x7f"}
_ALIASES = {"IsLetter": "L", "IsAlphabetic": "L", "IsDigit": "Nd", "IsPunctuation": "P"}
_SCANNED = 0x20000
_IDEOGRAPHS = (0x20000, 0x3FFFD)


class Pattern:
    """One pattern of a model: full matches only, over text of bounded length.

    As in Java, `\\d`, `\\w` and `\\s` mean ASCII.
    """

    __slots__ = ("_match", "_text_max", "is_simple")

    def __init__(self, source: str) -> None:
        self._match = re.compile(translate(source), re.ASCII).fullmatch
        self.is_simple = _SIMPLE.match(source) is not None
        """Whether matching takes no longer than reading the text."""
        self._text_max = SIMPLE_TEXT_MAX if self.is_simple else TEXT_MAX

    def allows(self, text: str) -> bool:
        """Whether the whole text matches. Text over the bound is not looked at, and allowed."""
        return len(text) > self._text_max or self._match(text) is not None


@lru_cache(maxsize=4096)
def pattern_of(source: str) -> Pattern | None:
    """The pattern, or None when it cannot be told in Python."""
    try:
        return Pattern(source)
    except (re.error, ValueError, RecursionError):
        return None


def translate(source: str) -> str:
    """The pattern in Python's syntax. Raises ValueError for what it lacks."""
    if "&&" in source:
        raise ValueError("an intersection of classes")
    pieces = []
    place = 0
    in_class = False
    while place < len(source):
        found = _PROPERTY.match(source, place)
        if found is not None:
            pieces.append(_property(found, in_class))
            place = found.end()
            continue
        character = source[place]
        if character == "\\" and place + 1 < len(source):
            pieces.append(_escape(source[place + 1]))
            place += 2
            if in_class and pieces[-1] in _CLASS_ESCAPES and source[place : place + 1] == "-":
                pieces.append(r"\-")
                place += 1
            continue
        if in_class and character == "[":
            raise ValueError("a class inside a class")
        if character == "[":
            in_class = True
            end = place + 2 if source[place + 1 : place + 2] == "^" else place + 1
            pieces.append(source[place:end])
            place = end
            continue
        if character == "]":
            in_class = False
        pieces.append(character)
        place += 1
    return "".join(pieces)


def _escape(character: str) -> str:
    if character in "zZ":
        return r"\Z"
    if character.isalpha() and character not in "abdfnrstuvwxABDSUW":
        raise ValueError(f"an escape that Python lacks: {character}")
    return "\\" + character


def _property(found: re.Match[str], in_class: bool) -> str:
    name = found.group(2) or found.group(3)
    if found.group(1) == "P":
        raise ValueError("a negated property")
    body = _NAMED.get(name) or _SCRIPTS.get(name) or _category(_ALIASES.get(name, name))
    return body if in_class else f"[{body}]"


@lru_cache(maxsize=1)
def _ranges() -> dict[str, list[tuple[int, int]]]:
    """Ranges of code points by Unicode category, of the first two planes."""
    ranges: dict[str, list[tuple[int, int]]] = {}
    start, current = 0, unicodedata.category("\0")
    for point in range(1, _SCANNED + 1):
        category = unicodedata.category(chr(point)) if point < _SCANNED else ""
        if category != current:
            ranges.setdefault(current, []).append((start, point - 1))
            start, current = point, category
    return ranges


@lru_cache(maxsize=64)
def _category(name: str) -> str:
    """The inside of a character class for a category such as `L` or `Nd`."""
    name = name.removeprefix("Is") or name
    found = sorted(
        span for key, spans in _ranges().items() if key.startswith(name) for span in spans
    )
    if not found:
        raise ValueError(f"no such property: {name}")
    if name in ("L", "Lo"):
        found.append(_IDEOGRAPHS)
    merged = [found[0]]
    for low, high in found[1:]:
        if low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in merged)
