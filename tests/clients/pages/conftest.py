"""A desk for each page: a home, a folder, a port, and the programs that readers have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.clients.pages.reader.reading import ROOT, Desk, read


@pytest.fixture
def desk(tmp_path: Path, program: Callable[[str], str]) -> Iterator[Desk]:
    at = Desk(tmp_path, {"aws": program("aws")})
    yield at
    at.leave()


@pytest.fixture
def follow(desk: Desk) -> Callable[[str], None]:
    """Does all that a page says, given the page's path from the root of the repository."""

    def follow_page(page: str) -> None:
        read((ROOT / page).read_text(), desk)

    return follow_page
