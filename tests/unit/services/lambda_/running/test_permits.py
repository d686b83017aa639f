"""Concurrency: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html"""

from __future__ import annotations

import pytest

from cumulet.core.identity import Scope
from cumulet.services.lambda_.errors import TooManyRequestsException
from cumulet.services.lambda_.running.permits import Permits

HERE = Scope("1", "r")
OTHER = Scope("2", "r")


def test_a_reservation_is_a_limit_of_its_own() -> None:
    permits = Permits()
    permits.take(HERE, "f", 2, 2)
    permits.take(HERE, "f", 2, 2)
    with pytest.raises(TooManyRequestsException) as caught:
        permits.take(HERE, "f", 2, 2)
    assert caught.value.fields["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    permits.take(HERE, "g", None, 2)
    permits.give(HERE, "f", 2)
    permits.take(HERE, "f", 2, 2)


def test_the_others_share_what_is_not_reserved() -> None:
    permits = Permits()
    for _ in range(998):
        permits.take(HERE, "f", None, 2)
    with pytest.raises(TooManyRequestsException) as caught:
        permits.take(HERE, "g", None, 2)
    assert caught.value.fields["Reason"] == "ConcurrentInvocationLimitExceeded"
    permits.take(HERE, "reserved", 2, 2)
    permits.take(OTHER, "g", None, 0)
    permits.give(HERE, "f", None)
    permits.take(HERE, "g", None, 2)
    assert permits.running(HERE, "f") == 997
