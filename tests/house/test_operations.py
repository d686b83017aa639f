"""Every operation that a service declares is called by some test of it."""

from __future__ import annotations

import re

from tests.house.debts import UNTESTED
from tests.house.tree import project_files, text_of

from cumulet.app.services import SERVICES
from cumulet.kit.service import snake_case


def words_of_tests() -> set[str]:
    found: set[str] = set()
    for path in project_files():
        is_test = path.parts[0] in ("tests", "apps") and path.suffix == ".py"
        if is_test and path.parts[1] != "house":
            found |= set(re.findall(r"[A-Za-z0-9_]+", text_of(path)))
    return found


def untested() -> set[str]:
    words = words_of_tests()
    return {
        f"{service.name}.{name}"
        for service in SERVICES
        for name in service.operations
        if name not in words and snake_case(name) not in words
    }


def test_every_operation_is_named_in_a_test() -> None:
    assert untested() <= UNTESTED


def test_the_list_of_untested_operations_is_as_short_as_it_can_be() -> None:
    assert untested() >= UNTESTED, "take the others out of tests/house/debts.py"
