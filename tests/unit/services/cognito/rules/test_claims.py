"""What a trigger may change of tokens."""

from __future__ import annotations

import pytest

from cumulet.services.cognito.errors import InvalidLambdaResponseException
from cumulet.services.cognito.rules.claims import read_changes


def test_claims_that_say_who_somebody_is_cannot_be_changed() -> None:
    given = {"sub": "forged", "iss": "forged", "cognito:username": "x", "plan": "gold"}
    details = {"claimsToAddOrOverride": given, "claimsToSuppress": ["sub", "email"]}
    changes = read_changes({"claimsOverrideDetails": details}, is_second=False)
    assert dict(changes.identity.added) == {"plan": "gold"}
    assert changes.identity.left_out == {"email"}


@pytest.mark.parametrize(
    "details", ["text", {"claimsToAddOrOverride": {"a": 1}}, {"claimsToSuppress": "email"}]
)
def test_an_answer_of_another_form_is_refused(details: object) -> None:
    with pytest.raises(InvalidLambdaResponseException):
        read_changes({"claimsOverrideDetails": details}, is_second=False)
