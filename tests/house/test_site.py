"""The documentation builds without a warning, and the site needs nothing from elsewhere."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from tests.house.tree import ROOT, SOURCE, syntax_of

from cumulet.app.config import VARIABLES

BUILD_SECONDS_MAX = 300
LOADED = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src"}
READERS = ("app", "cli")
"""The floors that read the environment; others are given what they need."""


class Page(HTMLParser):
    """What a page loads, what it links to, and the ids that links can lead to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag in LOADED and told.get(LOADED[tag]):
            self.loads.append(told[LOADED[tag]])
        if tag == "a" and told.get("href"):
            self.links.append(told["href"])
        if told.get("id"):
            self.ids.add(told["id"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("site")
    words = ["--quiet", "--fresh-env", "--fail-on-warning", "--keep-going"]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *words, "-d", place / "trees", "docs", place / "site"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS_MAX,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.rmtree(place / "trees")
    return place / "site"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text()) for path in site.rglob("*.html")}


def local(path: Path, links: list[str]) -> Iterator[tuple[Path, str]]:
    for link in links:
        parts = urlsplit(link)
        if not parts.scheme and not parts.netloc:
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            yield target, parts.fragment


def test_every_page_of_the_folder_is_in_the_site(pages: dict[Path, Page], site: Path) -> None:
    written = {path.relative_to(ROOT / "docs") for path in ROOT.glob("docs/**/*.md")}
    assert {path.with_suffix(".html") for path in written} <= {p.relative_to(site) for p in pages}


def test_no_page_asks_anybody_else(pages: dict[Path, Page], site: Path) -> None:
    asked = [one for page in pages.values() for one in page.loads if urlsplit(one).netloc]
    styles = [
        path
        for path in site.rglob("*.css")
        if re.search(r"(?:url\(|@import)\W*http", path.read_text())
    ]
    assert not asked
    assert not styles


def test_every_link_within_the_site_leads_somewhere(pages: dict[Path, Page]) -> None:
    lost = []
    for path, page in pages.items():
        for target, fragment in local(path, page.links + page.loads):
            if not target.exists():
                lost.append(f"{path.name}: {target}")
            elif fragment and target in pages and fragment not in pages[target].ids:
                lost.append(f"{path.name}: {target.name}#{fragment}")
    assert not lost


def test_readers_of_the_markdown_see_no_directives() -> None:
    """On GitHub a directive is a block of its own words."""
    strange = [
        str(path)
        for path in ROOT.glob("docs/**/*.md")
        if re.search(r"^ *```\{", path.read_text(), re.M)
    ]
    assert not strange


def read_variables(tree: ast.Module) -> Iterator[str]:
    """The names of environment variables that a module reads."""
    for node in ast.walk(tree):
        asked: list[ast.expr] = []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "get" and node.args and is_environment(node.func.value):
                asked.append(node.args[0])
            asked += [one.value for one in node.keywords if one.arg == "envvar"]
        elif isinstance(node, ast.Subscript) and is_environment(node.value):
            asked.append(node.slice)
        elif isinstance(node, ast.Compare) and is_environment(node.comparators[0]):
            asked.append(node.left)
        yield from (one.value for one in asked if isinstance(one, ast.Constant))


def is_environment(node: ast.expr) -> bool:
    return ast.unparse(node) in ("os.environ", "env", "environment")


def test_the_list_of_environment_variables_is_what_the_program_reads() -> None:
    paths = [path for floor in READERS for path in (SOURCE / floor).rglob("*.py")]
    found = {name for path in paths for name in read_variables(syntax_of(path))}
    assert found == set(VARIABLES)
