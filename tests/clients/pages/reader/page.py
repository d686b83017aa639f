"""A page of Markdown as the steps that its reader takes: what is typed, shown, saved, and not run.

Words for the machine are in HTML comments before a block, which readers of the page do not see:

- `<!-- not run: why -->`: the block is for reading only;
- `<!-- saved as: src/app.py -->`: the block is the content of that file;
- `<!-- typed before: URL=… -->`: what a person copies by hand from what was printed before;
- `<!-- typed: Ctrl-C -->`, anywhere: ends the cloud that runs in the page's first terminal.
"""

from __future__ import annotations

import re
import subprocess
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field

SHELL = ("sh", "console")
MARKS = ("not run", "saved as", "typed before", "typed")
FENCE = re.compile(r"^( *)(`{3,})([\w+-]*)\s*$")
COMMENT = re.compile(r"<!-- ([a-z ]+): (.*?) -->", re.DOTALL)
CTRL_C = "^C"


class Unreadable(Exception):
    """The page is not written as pages are."""


@dataclass(frozen=True)
class Block:
    """One fenced block, with the words for the machine that stand before it."""

    line: int
    language: str
    text: str
    marks: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Typed:
    """One command; `shown` is what the page shows as its output, None where it shows none."""

    line: int
    command: str
    shown: str | None = None
    ends_with_ctrl_c: bool = False


@dataclass(frozen=True)
class Saved:
    """A file that the reader writes."""

    line: int
    path: str
    text: str


@dataclass(frozen=True)
class Stopped:
    """Ctrl-C in the terminal where the cloud runs."""

    line: int


Step = Typed | Saved | Stopped


def blocks_of(text: str) -> Iterator[Block]:
    """The fenced blocks in order, and the lone marks as blocks without a language."""
    lines = text.splitlines()
    before: list[str] = []
    number = 0
    while number < len(lines):
        opened = FENCE.match(lines[number])
        if opened is None:
            before.append(lines[number])
            number += 1
            continue
        start = number + 1
        number = start
        while number < len(lines) and lines[number].strip() != opened[2]:
            number += 1
        if number == len(lines):
            raise Unreadable(f"line {start}: the block has no end")
        yield from _lone_marks(before, start)
        content = textwrap.dedent("\n".join(lines[start:number])) + "\n"
        yield Block(start, opened[3], content, _marks_before(before, start))
        before = []
        number += 1
    yield from _lone_marks(before, number)


def _marks_before(before: list[str], line: int) -> dict[str, str]:
    """The marks in the paragraph right before a block."""
    said = "\n".join(before).rstrip()
    marks: dict[str, str] = {}
    while said.endswith("-->"):
        said, _, comment = said.rpartition("<!--")
        found = COMMENT.fullmatch("<!--" + comment)
        if found is not None:
            if found[1] not in MARKS or not found[2].strip():
                raise Unreadable(f"line {line}: {found[0]!r} is no mark with a reason")
            marks[found[1]] = " ".join(found[2].split())
        said = said.rstrip()
    return marks


def _lone_marks(before: list[str], line: int) -> Iterator[Block]:
    for found in COMMENT.finditer("\n".join(before)):
        if found[1] == "typed":
            yield Block(line, "", "", {"typed": found[2]})


def steps_of(text: str) -> Iterator[Step]:
    """What a reader of the page does, in order."""
    for block in blocks_of(text):
        if not block.language and block.marks.get("typed") == "Ctrl-C":
            yield Stopped(block.line)
        if "not run" in block.marks:
            continue
        if "typed before" in block.marks:
            yield Typed(block.line, block.marks["typed before"])
        if "saved as" in block.marks:
            yield Saved(block.line, block.marks["saved as"], block.text)
        elif block.language == "sh":
            yield from typed_of(block)
        elif block.language == "console":
            yield from shown_of(block)


def is_complete(command: str) -> bool:
    """Whether a shell would run it now, and not ask for another line."""
    if command.rstrip("\n").endswith("\\"):
        return False
    words = ["bash", "-n", "-c", command]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode == 0 and not done.stderr


def typed_of(block: Block) -> Iterator[Typed]:
    """The commands of a block that shows commands alone."""
    command, start = "", block.line
    for number, line in enumerate(block.text.splitlines(keepends=True), block.line + 1):
        if not command and (not line.strip() or line.lstrip().startswith("#")):
            continue
        start = start if command else number
        command += line
        if is_complete(command):
            yield Typed(start, command)
            command = ""
    if command:
        raise Unreadable(f"line {start}: not a whole command: {command}")


def shown_of(block: Block) -> Iterator[Typed]:
    """The commands of a terminal's transcript, each with what it printed."""
    command, start, shown = "", block.line, ""
    whole = False
    for number, line in enumerate(block.text.splitlines(keepends=True), block.line + 1):
        if line.startswith("$ ") and (whole or not command):
            if command:
                yield _transcript(start, command, shown)
            command, start, shown = line[2:], number, ""
            whole = is_complete(command)
        elif not command:
            raise Unreadable(f"line {number}: output before any command")
        elif not whole:
            command += line.removeprefix("> ")
            whole = is_complete(command)
        else:
            shown += line
    if not whole:
        raise Unreadable(f"line {start}: not a whole command: {command}")
    yield _transcript(start, command, shown)


def _transcript(line: int, command: str, shown: str) -> Typed:
    if shown.rstrip().endswith(CTRL_C):
        return Typed(line, command, shown.rstrip().removesuffix(CTRL_C), ends_with_ctrl_c=True)
    return Typed(line, command, shown)


def not_run(text: str) -> list[Block]:
    """The blocks of commands that are marked as not to be run."""
    return [b for b in blocks_of(text) if "not run" in b.marks and b.language in SHELL]
