"""Writes the pages that follow from the code, or checks (`--check`) that they agree with it."""

from __future__ import annotations

import sys
from pathlib import Path

from generated.commands import commands_page, settings_page
from generated.indexes import compatibility_index, decisions_index
from generated.operations import operations_page, resources_page
from generated.words import errors_page, limits_page

DOCS = Path(__file__).parent.parent / "docs"
PAGES = {
    "reference/operations.md": operations_page,
    "reference/resources.md": resources_page,
    "reference/commands.md": commands_page,
    "reference/settings.md": settings_page,
    "reference/errors.md": errors_page,
    "reference/limits.md": limits_page,
    "compatibility/index.md": compatibility_index,
    "decisions/index.md": decisions_index,
}


def main() -> int:
    stale = []
    for name, write in PAGES.items():
        path, text = DOCS / name, write()
        if "--check" not in sys.argv:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(name)
    if stale:
        print(f"docs is behind the code: {', '.join(stale)}; run `make docs`")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
