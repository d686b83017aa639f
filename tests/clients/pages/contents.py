"""Which pages there are to be read, in groups that are read beside each other."""

from __future__ import annotations

from tests.clients.pages.reader.page import steps_of
from tests.clients.pages.reader.reading import ROOT

GENERATED = "docs/reference/"
APPLICATIONS = "apps/"
"""Their READMEs have tests of their own, which also look at what happened."""


def pages() -> list[str]:
    """Every page that says something to type."""
    paths = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    names = sorted(str(path.relative_to(ROOT)) for path in paths)
    return [
        name
        for name in names
        if not name.startswith(GENERATED) and any(steps_of((ROOT / name).read_text()))
    ]


def group_of(page: str) -> str:
    """The test file that reads a page."""
    if page.startswith("docs/guides/operate/"):
        return "operating"
    if page.startswith("docs/guides/"):
        return "building, first half" if page < "docs/guides/r" else "building, second half"
    return "others"


def pages_in(group: str) -> list[str]:
    return [page for page in pages() if group_of(page) == group]
