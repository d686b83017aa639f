"""Policies of forms: until when they hold.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""

import base64
import json

import pytest

from cumulet.core.errors import AccessDenied, AwsError
from cumulet.services.s3.front.form_policy import check_policy

NOON = 1_767_268_800  # 2026-01-01T12:00:00Z


def check(expiration: str, now: float) -> None:
    document = {"expiration": expiration, "conditions": [{"bucket": "b"}, {"key": "k"}]}
    policy = base64.b64encode(json.dumps(document).encode()).decode()
    check_policy({"policy": policy, "bucket": "b", "key": "k"}, now)


@pytest.mark.parametrize("when", ["2026-01-01T12:00:00Z", "2026-01-01T12:00:00.000Z"])
def test_a_policy_holds_until_it_expires(when: str) -> None:
    check(when, NOON - 1)
    with pytest.raises(AccessDenied):
        check(when, NOON + 1)


@pytest.mark.parametrize(
    "when",
    ["2026-01-01 12:00:00+00:00", "2026-01-01T12:00:00", "2026-01-01", "2026-02-30T12:00:00Z", ""],
)
def test_a_time_of_another_form_is_none(when: str) -> None:
    with pytest.raises(AwsError) as caught:
        check(when, NOON - 1)
    assert caught.value.code == "InvalidPolicyDocument"
