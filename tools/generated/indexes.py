"""Indexes of folders whose pages tell all that is in them: compatibility, decisions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from generated import NOTE

DOCS = Path(__file__).parents[2] / "docs"
SUITE = re.compile(r"^\| (?P<suite>[^|]+) \| (?P<passed>[\d,]+) \| (?P<of>[\d,]+) \|")
HEADING = "| suite | passes | of |"


def pages_of(folder: str) -> Iterator[tuple[str, str, str]]:
    """Name, title and text of each page of a folder, but its index."""
    for path in sorted((DOCS / folder).glob("*.md")):
        if path.name != "index.md":
            text = path.read_text()
            yield path.name, text.partition("\n")[0].removeprefix("# "), text


def suites(text: str) -> Iterator[tuple[str, int, int]]:
    """What a page's tables of suites say: which, how many tests pass, of how many."""
    inside = False
    for line in text.splitlines():
        inside = line.startswith(HEADING) or (inside and line.startswith("|"))
        found = SUITE.match(line) if inside else None
        if found is not None:
            passed, of = (int(found[name].replace(",", "")) for name in ("passed", "of"))
            yield found["suite"], passed, of


def compatibility_index() -> str:
    pages, rows = [], []
    for name, title, text in pages_of("compatibility"):
        subject = title.partition(":")[0]
        pages.append(f"- [{subject}]({name})")
        rows += [f"| [{subject}]({name}) | {s} | {p:,} | {of:,} |" for s, p, of in suites(text)]
    lines = [
        "# Compatibility\n",
        NOTE,
        "What differs from AWS, as far as we know of it: a page for each service. What is not",
        "there answers in AWS's own error form, never with a success that is none.\n",
        *pages,
        "\n## Held against what others wrote\n",
        "Tests that we did not write, run against this cloud. What fails, and why, is on the page",
        "of each.\n",
        "| page | suite | passes | of |",
        "|---|---|---|---|",
        *rows,
    ]
    return "\n".join(lines) + "\n"


def decisions_index() -> str:
    lines = [
        "# Decisions\n",
        NOTE,
        "Why it is as it is: what was decided, and what was given up for it.\n",
        *(f"- [{title}]({name})" for name, title, _ in pages_of("decisions")),
    ]
    return "\n".join(lines) + "\n"
