"""The page on protocols tells how many of botocore's vectors hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.wire import test_vectors_of_answers, test_vectors_of_requests

PAGE = Path(__file__).parents[2] / "docs" / "compatibility" / "protocols.md"


@pytest.mark.parametrize(
    ("direction", "of", "left_out"),
    [
        ("input", "requests", test_vectors_of_requests.NOT_APPLICABLE),
        ("output", "answers and errors", test_vectors_of_answers.NOT_APPLICABLE),
    ],
)
def test_the_page_tells_how_many_hold(vector_names, direction, of, left_out):
    count = len(vector_names(direction))
    row = f"| botocore's vectors of {of} | {count - len(left_out)} | {count} |"
    assert row in PAGE.read_text().splitlines()
