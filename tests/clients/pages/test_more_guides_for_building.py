"""Guides for those who build on the cloud, typed as they stand: the second half."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.clients.pages.contents import pages_in


@pytest.mark.parametrize("page", pages_in("building, second half"))
def test_all_that_the_page_says_is_so(page: str, follow: Callable[[str], None]) -> None:
    follow(page)
