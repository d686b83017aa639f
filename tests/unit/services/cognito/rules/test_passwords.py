"""Password policies, and passwords made up for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.core.clock import ManualClock
from cumulet.services.cognito.errors import InvalidParameterException
from cumulet.services.cognito.rules.passwords import (
    check_password,
    check_policy,
    made_up,
    policy_of,
)


@given(st.integers(0, 10_000), st.integers(6, 99))
def test_a_made_up_password_keeps_the_policy(seed: int, length: int) -> None:
    policy = {**policy_of({}), "MinimumLength": length}
    check_password(policy, made_up(ManualClock(seed=seed), policy))


def test_a_policy_that_is_given_requires_only_what_it_says() -> None:
    policy = check_policy({"MinimumLength": 6})
    check_password(policy, "simple")


@pytest.mark.parametrize("policy", [{"MinimumLength": 5}, {"PasswordHistorySize": 3}])
def test_a_policy_that_cannot_be_kept_is_refused(policy: dict[str, int]) -> None:
    with pytest.raises(InvalidParameterException):
        check_policy(policy)
