"""The reader of pages itself: it finds what is not so, waits for what comes later, ends all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.clients.pages.contents import pages
from tests.clients.pages.reader.matching import agrees, only_looks
from tests.clients.pages.reader.page import (
    Saved,
    Stopped,
    Typed,
    Unreadable,
    blocks_of,
    not_run,
    steps_of,
)
from tests.clients.pages.reader.reading import ROOT, Desk, _follow, _type
from tests.clients.pages.reader.terminal import Stuck, in_session

NOT_RUN_MAX = 18
"""Blocks that only readers run. This number may only become smaller."""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    at = Desk(tmp_path, {})
    yield at
    at.leave()


@pytest.fixture
def fake(desk: Desk) -> Callable[[str, str], None]:
    """Puts a program in the place of one of the desk's."""

    def put(name: str, text: str) -> None:
        path = desk.home.parent / "bin" / name
        path.write_text(f"#!/bin/bash\n{text}")
        path.chmod(0o755)

    return put


def page(*lines: str) -> str:
    return "\n".join(lines) + "\n"


def test_commands_of_a_block_are_typed_one_by_one() -> None:
    text = page("```sh", "# why", "A=1", "echo \\", "  b", "cat <<'X'", "$ c", "X", "```")
    assert [step.command for step in steps_of(text)] == [
        "A=1\n",
        "echo \\\n  b\n",
        "cat <<'X'\n$ c\nX\n",
    ]


def test_a_transcript_shows_what_each_command_prints() -> None:
    text = page(
        "1. Do:", "", "   ```console", "   $ a \\", "   >   b", "   one", "   $ c", "   ```"
    )
    assert list(steps_of(text)) == [Typed(4, "a \\\n  b\n", "one\n"), Typed(7, "c\n", "")]


def test_marks_say_what_to_do_with_a_block() -> None:
    text = page(
        *("<!-- saved as: src/app.py -->", "```python", "x = 1", "```"),
        *("words", "<!-- typed: Ctrl-C -->", "words"),
        *("<!-- not run: it asks for a password -->", "", "```sh", "sudo true", "```"),
        *("<!-- typed before: URL=here -->", "```sh", 'echo "$URL"', "```"),
    )
    saved, stopped, before, typed = steps_of(text)
    assert saved == Saved(2, "src/app.py", "x = 1\n")
    assert isinstance(stopped, Stopped)
    assert (before.command, typed.command) == ("URL=here", 'echo "$URL"\n')
    assert [block.marks for block in not_run(text)] == [{"not run": "it asks for a password"}]


@pytest.mark.parametrize(
    "text",
    [
        page("```sh", "echo"),
        page("<!-- not runn: a reason -->", "```sh", "echo", "```"),
        page("<!-- not run:  -->", "```sh", "echo", "```"),
        page("```console", "output", "$ echo", "```"),
        page("```sh", "if true; then", "```"),
    ],
)
def test_a_page_that_is_not_written_as_pages_are_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        list(steps_of(text))


@pytest.mark.parametrize(
    ("shown", "said", "is_so"),
    [
        ("one\n", "one\n", True),
        ("one\n", "one\ntwo\n", False),
        ("", "one\n", False),
        ("id …, done\n", "id 17, done\n", True),
        ("id …, done\n", "id 17\n, done\n", False),
        ("a\n…\nd\n", "a\nb\nc\nd\n", True),
        ("a\n…\nd\n", "a\nd\n", True),
        ("a\n…\nd\n", "a\nb\n", False),
        ("a.c\n", "abc\n", False),
    ],
)
def test_an_ellipsis_stands_for_what_differs(shown: str, said: str, is_so: bool) -> None:
    assert agrees(shown, said) is is_so


def test_what_only_looks_may_be_typed_again() -> None:
    looking = [
        "aws cloudwatch list-metrics --namespace AWS/Lambda",
        "aws logs filter-log-events --log-group-name x",
        "aws --region eu-west-1 s3api get-object x",
        "ID=$(aws ssm list-commands)",
        "cumulet logs NAME",
        'curl -s "$URL"',
    ]
    changing = [
        "aws sqs send-message --message-body get-it",
        "aws sqs receive-message",
        "cumulet deploy list",
        'curl -X POST "$URL"',
        'curl "$URL" -d "{}"',
        "aws s3 cp list s3://b/get",
    ]
    assert all(map(only_looks, looking))
    assert not any(map(only_looks, changing))


def test_it_waits_for_what_is_told_later(desk: Desk, fake: Callable[[str, str], None]) -> None:
    fake("aws", 'echo x >>~/asked; [ "$(wc -l <~/asked)" -gt 2 ] && echo there; exit 0\n')
    _type(Typed(1, "aws cloudwatch list-metrics", "there\n"), desk)
    assert (desk.home / "asked").read_text() == "x\n" * 3


def test_it_does_not_type_again_what_changes_something(
    desk: Desk, fake: Callable[[str, str], None]
) -> None:
    fake("aws", "echo x >>~/asked\n")
    with pytest.raises(AssertionError, match="it should print:\nthere"):
        _type(Typed(1, "aws sqs send-message", "there\n"), desk)
    assert (desk.home / "asked").read_text() == "x\n"


def test_it_finds_a_command_that_fails(desk: Desk) -> None:
    with pytest.raises(AssertionError, match="code 1"):
        _type(Typed(1, "false"), desk)
    with pytest.raises(AssertionError, match="code 1"):
        _type(Typed(1, "echo one; false", "one\n"), desk)
    _type(Typed(1, "echo error: one; false", "error: one\n"), desk)


def test_variables_are_kept_from_one_command_to_the_next(desk: Desk) -> None:
    _type(Typed(1, "A=1; cd /"), desk)
    _type(Typed(2, 'echo "$A$PWD"', "1/\n"), desk)


def test_a_program_in_the_foreground_is_ended_by_ctrl_c(desk: Desk) -> None:
    program = (
        "import signal, time\nprint('begun', flush=True)\n"
        "try:\n    signal.pause()\nexcept KeyboardInterrupt:\n    print('ended')"
    )
    command = f'{sys.executable} -c "{program}" --follow'
    _follow(Typed(1, command, "begun\n", ends_with_ctrl_c=True), desk)
    assert in_session(desk.terminal.process.pid) == [desk.terminal.process.pid]


def test_a_program_that_ends_before_it_said_what_is_shown_is_found(desk: Desk) -> None:
    with pytest.raises(Stuck, match="printed only:\nsomething"):
        _follow(Typed(1, "echo something", "begun\n", ends_with_ctrl_c=True), desk)


def test_nothing_that_a_page_started_is_left(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {})
    desk.terminal.start("trap '' TERM; sleep 1000 & sleep 1000")
    leader = desk.terminal.process.pid
    desk.terminal.type("sleep 1000 &")
    desk.terminal.close(patience_seconds=1.0)
    assert not in_session(leader)


def test_the_pages_are_read_and_few_of_their_commands_are_not_run() -> None:
    assert "docs/first-steps.md" in pages()
    assert "README.md" in pages()
    texts = {str(path.relative_to(ROOT)): path.read_text() for path in ROOT.glob("docs/**/*.md")}
    texts |= {path.name: path.read_text() for path in ROOT.glob("*.md")}
    found = [(name, block.line) for name, text in texts.items() for block in not_run(text)]
    assert len(found) <= NOT_RUN_MAX, found


def test_no_block_of_commands_hides_from_the_reader() -> None:
    """A block of commands without a language, or in another name of the shell, is not looked at."""
    hidden = []
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for block in blocks_of(path.read_text()):
            types = any(
                line.startswith(("$ ", "aws ", "cumulet ", "curl ", "pip "))
                for line in block.text.splitlines()
            )
            if block.language not in ("sh", "console") and types:
                hidden.append(f"{path.relative_to(ROOT)}:{block.line}")
    assert not hidden
