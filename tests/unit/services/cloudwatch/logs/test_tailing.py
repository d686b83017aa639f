"""Who looks on hears of what arrives, and no more than AWS tells."""

from __future__ import annotations

import pytest

from cumulet.core.identity import Scope
from cumulet.services.cloudwatch.errors import LimitExceededException
from cumulet.services.cloudwatch.limits import TAIL_EVENTS_MAX, TAILS_MAX
from cumulet.services.cloudwatch.logs.tailing import Tail, Tails

HERE = Scope("123456789012", "us-east-1")


def tail(*groups: str) -> Tail:
    return Tail(HERE, groups, lambda stream, message: message != "no")


def test_a_tail_hears_of_its_groups_until_it_is_closed() -> None:
    tails, one = Tails(), tail("g", "h")
    tails.open(one)
    tails.tell(HERE, "g", "s", [(1, 1, "yes"), (2, 2, "no")], 5)
    tails.tell(HERE, "other", "s", [(1, 1, "yes")], 5)
    tails.tell(Scope(HERE.account, "eu-west-1"), "g", "s", [(1, 1, "yes")], 5)
    assert [event["message"] for event in one.take()["sessionResults"]] == ["yes"]
    assert one.take()["sessionResults"] == []
    tails.close(one)
    tails.tell(HERE, "g", "s", [(1, 1, "yes")], 5)
    assert one.take()["sessionResults"] == []


def test_what_comes_too_fast_is_left_out_and_told() -> None:
    tails, one = Tails(), tail("g")
    tails.open(one)
    tails.tell(HERE, "g", "s", [(n, n, "yes") for n in range(TAIL_EVENTS_MAX + 1)], 5)
    told = one.take()
    assert told["sessionMetadata"] == {"sampled": True}
    assert len(told["sessionResults"]) == TAIL_EVENTS_MAX


def test_too_many_tails_are_refused() -> None:
    tails = Tails()
    for _ in range(TAILS_MAX):
        tails.open(tail("g"))
    with pytest.raises(LimitExceededException):
        tails.open(tail("g"))
