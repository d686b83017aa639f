"""How the command line speaks: data to stdout, words for people to stderr, hints, tables."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_UNREACHABLE = 3
EXIT_FINDINGS = 4


def say(text: str = "") -> None:
    """Words for people, on stderr, so that stdout stays data."""
    click.echo(text, err=True)


def show(text: str = "") -> None:
    """Data, on stdout."""
    click.echo(text)


def show_json(value: Any) -> None:
    """Data for programs, on stdout."""
    click.echo(json.dumps(value, indent=2, default=str))


def fail(message: str, hint: str = "", code: int = EXIT_FAILED) -> NoReturn:
    """End with a sentence, a hint where one helps, and an exit code that means something."""
    say(f"{_mark('error', 'red')} {message}")
    if hint:
        say(f"{_mark('hint', 'cyan')} {hint}")
    sys.exit(code)


def warn(message: str, hint: str = "") -> None:
    """Something that works, but not as well as it could."""
    say(f"{_mark('warning', 'yellow')} {message}")
    if hint:
        say(f"{_mark('hint', 'cyan')} {hint}")


def _mark(word: str, colour: str) -> str:
    return click.style(f"{word}:", fg=colour, bold=True) if use_colour() else f"{word}:"


def use_colour() -> bool:
    """Colour only on a terminal, and never when NO_COLOR is set (no-color.org)."""
    return sys.stderr.isatty() and "NO_COLOR" not in os.environ


def table(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Columns as wide as their widest cell; the last one is left as it is."""
    cells = [[str(cell) for cell in row] for row in (titles, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(titles))]
    lines = []
    for row in cells:
        padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


class Progress:
    """One line that is rewritten on a terminal, and a line each step elsewhere."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._last = ""

    def step(self, text: str) -> None:
        """Say what is being done now."""
        if text == self._last:
            return
        self._last = text
        if self._live:
            click.echo(f"\r\x1b[2K{text}", err=True, nl=False)
        else:
            say(text)

    def done(self) -> None:
        """Leave the line for the next output."""
        if self._live and self._last:
            click.echo("\r\x1b[2K", err=True, nl=False)
