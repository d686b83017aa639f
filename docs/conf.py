"""How the pages of this folder become the site: plain Markdown, as it reads on GitHub, and Furo.

Navigation is taken from the pages themselves: a section's `index.md` links to its pages, and their
order there is the order in the sidebar. Pages that an index does not name come after those.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cumulet import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).parent
ANY_LINK = re.compile(r"\]\(((?:\.\./)+[\w./-]+\.md)(#[^)]*)?\)")
LINK = re.compile(r"\]\(([\w./-]+)\.md\)")
SECTION = re.compile(r"^## (.+)$", re.MULTILINE)

project = "Cumulet"
author = "The Cumulet authors"
project_copyright = author
version = release = __version__
language = "en"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_site"]
nitpicky = True

myst_heading_anchors = 4
myst_links_external_new_tab = False

html_theme = "furo"
html_title = "Cumulet"
html_static_path = ["_site"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_favicon = "_site/cloud.svg"
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_theme_options = {
    "light_logo": "cloud.svg",
    "dark_logo": "cloud.svg",
    "navigation_with_keys": True,
    "light_css_variables": {
        "color-brand-primary": "#1560bd",
        "color-brand-content": "#1560bd",
        "color-brand-visited": "#1560bd",
    },
    "dark_css_variables": {
        "color-brand-primary": "#74b3ff",
        "color-brand-content": "#74b3ff",
        "color-brand-visited": "#74b3ff",
    },
}
pygments_style = "friendly"
pygments_dark_style = "github-dark"


def pages_of(section: Path) -> set[str]:
    """The pages of one folder, and the indexes of the folders in it, as the folder names them."""
    found = {path.stem for path in section.glob("*.md") if path.stem != "index"}
    return found | {f"{path.parent.name}/index" for path in section.glob("*/index.md")}


def toctree(names: list[str], caption: str = "") -> str:
    """A hidden table of contents with these pages."""
    options = ":hidden:\n" + (f":caption: {caption}\n" if caption else "")
    return "\n\n```{toctree}\n" + options + "\n" + "\n".join(names) + "\n```\n"


def sections(text: str) -> Iterator[tuple[str, list[str]]]:
    """The headings of the front page, each with the pages that are linked below it."""
    parts = SECTION.split(text)
    for caption, body in zip(parts[1::2], parts[2::2], strict=True):
        yield caption, LINK.findall(body)


def contents_of_front(text: str) -> str:
    """The sidebar: what each section of the front page links to, once."""
    seen: set[str] = set()
    trees = []
    for caption, linked in sections(text):
        names = list(dict.fromkeys(name for name in linked if name not in seen))
        seen.update(names)
        if names:
            trees.append(toctree(names, caption))
    return "".join(trees)


def contents_of_section(text: str, section: Path) -> str:
    """The pages of a folder, in the order in which its index names them."""
    there = pages_of(section)
    named = [name for name in dict.fromkeys(LINK.findall(text)) if name in there]
    names = named + sorted(there.difference(named))
    return toctree(names) if names else ""


def with_files_beyond(text: str, folder: Path) -> str:
    """Links to Markdown outside of this folder, as links to a copy of the file as it is."""

    def link(found: re.Match[str]) -> str:
        beyond = not (folder / found[1]).resolve().is_relative_to(DOCS)
        return f"](path:{found[1]})" if beyond else found[0]

    return ANY_LINK.sub(link, text)


def add_contents(app: Sphinx, docname: str, source: list[str]) -> None:
    """Give an index its table of contents, which readers of the Markdown do not see."""
    source[0] = with_files_beyond(source[0], (DOCS / docname).parent)
    if docname == "index":
        source[0] += contents_of_front(source[0])
    elif docname.endswith("/index"):
        source[0] += contents_of_section(source[0], (DOCS / docname).parent)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", add_contents)
    return {"parallel_read_safe": True}
