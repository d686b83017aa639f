"""Texts with the wildcards `*` and `?`, matched without backtracking. Pure.

Each piece between two stars is looked for once, from left to right, so that neither a pattern nor
a text can make a match slow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

_REMEMBERED_MAX = 1_024
_SIGNS = re.compile(r"([*?])")


class Mark:
    """A wildcard in a text."""

    __slots__ = ("sign",)

    def __init__(self, sign: str) -> None:
        self.sign = sign


STAR: Final = Mark("*")
ONE: Final = Mark("?")


class Glob:
    """A pattern of literals and wildcards.

    Pieces are what lies between stars; each is a tuple of literals with one free character
    between two of them.
    """

    __slots__ = ("_middle", "_plain", "_prefix", "_starred", "_tail", "_whole")

    def __init__(self, tokens: Iterable[object]) -> None:
        pieces: list[list[str]] = [[""]]
        for token in tokens:
            if token is STAR:
                pieces.append([""])
            elif token is ONE:
                pieces[-1].append("")
            else:
                pieces[-1][-1] += str(token)
        self._starred = len(pieces) > 1
        self._whole = tuple(pieces[0])
        self._middle = [tuple(piece) for piece in pieces[1:-1] if piece != [""]]
        self._tail = tuple(pieces[-1])
        self._plain = len(self._whole) == 1 and not self._middle and self._tail == ("",)
        self._prefix = self._whole[0]

    def matches(self, text: str) -> bool:
        """Whether the whole of `text` fits."""
        if self._plain:
            return text.startswith(self._prefix) if self._starred else text == self._prefix
        if not _fits(self._whole, text, 0):
            return False
        at = _length(self._whole)
        if not self._starred:
            return at == len(text)
        for piece in self._middle:
            at = _find(piece, text, at)
            if at < 0:
                return False
            at += _length(piece)
        start = len(text) - _length(self._tail)
        return start >= at and _fits(self._tail, text, start)


def _length(piece: tuple[str, ...]) -> int:
    return sum(map(len, piece)) + len(piece) - 1


def _fits(piece: tuple[str, ...], text: str, at: int) -> bool:
    if at + _length(piece) > len(text):
        return False
    for literal in piece:
        if not text.startswith(literal, at):
            return False
        at += len(literal) + 1
    return True


def _find(piece: tuple[str, ...], text: str, at: int) -> int:
    if len(piece) == 1:
        return text.find(piece[0], at)
    for start in range(at, len(text) - _length(piece) + 1):
        if _fits(piece, text, start):
            return start
    return -1


@lru_cache(_REMEMBERED_MAX)
def wildcards(pattern: str) -> Glob:
    """A text in which `*` stands for any characters and `?` for one, ready to be matched."""
    signs = {"*": STAR, "?": ONE}
    return Glob(signs.get(piece, piece) for piece in _SIGNS.split(pattern) if piece)
