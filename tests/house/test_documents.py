"""What the documents say is so: reference pages, commands, links and make targets."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.house.tree import ROOT, project_files, text_of

PAGES = [path for path in project_files() if path.suffix == ".md"]
COMMAND = re.compile(r"(?:^|[\s`(\"$/])cumulet ([a-z]+)(?=[\s`)\"]|$)", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
MAKE = re.compile(r"(?:^|`)make ([a-z-]+)", re.MULTILINE)
NAMES = {
    "up",
    "env",
    "deploy",
    "invoke",
    "logs",
    "ls",
    "import",
    "hosts",
    "mail",
    "console",
    "costs",
    "check",
    "doctor",
    "backup",
    "restore",
}


def code_of(text: str) -> str:
    """What stands in code blocks and code spans."""
    blocks = re.findall(r"```.*?\n(.*?)```", text, re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return "\n".join([*blocks, *spans])


def test_the_reference_agrees_with_the_code() -> None:
    words = [sys.executable, "tools/reference.py", "--check"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_command_in_a_page_is_one(page: Path) -> None:
    assert set(COMMAND.findall(code_of(text_of(page)))) <= NAMES


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    lost = [
        target
        for target in LINK.findall(text_of(page))
        if "://" not in target and not (ROOT / page.parent / target).exists()
    ]
    assert not lost


def test_every_make_target_in_a_page_is_one() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of(Path("Makefile")), re.MULTILINE))
    asked = {(str(page), word) for page in PAGES for word in MAKE.findall(code_of(text_of(page)))}
    assert not [one for one in asked if one[1] not in targets]


def test_the_list_of_commands_is_the_programs_own() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cumulet", "--help"], capture_output=True, text=True, check=True
    )
    listed = re.findall(r"^  ([a-z]+) {2,}", done.stdout.split("Commands:")[1], re.MULTILINE)
    assert set(listed) == NAMES
