"""Second factors: authenticators, and codes by mail and text.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-mfa.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.services.cognito.client import Pool, make_pool, name, refusal

SNS = "arn:aws:iam::000000000000:role/sns"


def code_of(secret: str, steps: int = 0) -> str:
    """The code that an authenticator shows (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30 + steps), hashlib.sha1).digest()
    at = digest[-1] & 15
    number = struct.unpack(">I", digest[at : at + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06d}"


@pytest.fixture(scope="module")
def optional(cloud: Any) -> Iterator[Pool]:
    pool = make_pool(cloud, SmsConfiguration={"SnsCallerArn": SNS}, MfaConfiguration="OPTIONAL")
    answer = pool.admin.set_user_pool_mfa_config(
        UserPoolId=pool.id,
        MfaConfiguration="OPTIONAL",
        SoftwareTokenMfaConfiguration={"Enabled": True},
        EmailMfaConfiguration={"Message": "Code {####}", "Subject": "Code"},
    )
    assert answer["SoftwareTokenMfaConfiguration"] == {"Enabled": True}
    yield pool
    pool.admin.delete_user_pool(UserPoolId=pool.id)


def tie(pool: Pool, token: str) -> str:
    """Tie an authenticator to an account; its secret."""
    secret: str = pool.anyone.associate_software_token(AccessToken=token)["SecretCode"]
    code, _ = refusal(pool.anyone.verify_software_token, AccessToken=token, UserCode="000000")
    assert code == "EnableSoftwareTokenMFAException"
    # The step before now, so that the code of now is not spent yet.
    answer = pool.anyone.verify_software_token(AccessToken=token, UserCode=code_of(secret, -1))
    assert answer["Status"] == "SUCCESS"
    return secret


def respond(pool: Pool, asked: dict[str, Any], user: str, **responses: str) -> dict[str, Any]:
    answer: dict[str, Any] = pool.anyone.respond_to_auth_challenge(
        ClientId=pool.client,
        ChallengeName=asked["ChallengeName"],
        Session=asked["Session"],
        ChallengeResponses={"USERNAME": user, **responses},
    )
    return answer


def test_an_authenticator(optional: Pool) -> None:
    user = optional.user()
    token = optional.tokens(user)["AccessToken"]
    secret = tie(optional, token)
    optional.anyone.set_user_mfa_preference(
        AccessToken=token, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True}
    )
    me = optional.anyone.get_user(AccessToken=token)
    assert me["PreferredMfaSetting"] == "SOFTWARE_TOKEN_MFA"
    asked = optional.srp(user)
    assert asked["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    wrong = "000000" if code_of(secret) != "000000" else "000001"
    code, _ = refusal(respond, optional, asked, user, SOFTWARE_TOKEN_MFA_CODE=wrong)
    assert code == "CodeMismatchException"
    right = code_of(secret)
    done = respond(optional, asked, user, SOFTWARE_TOKEN_MFA_CODE=right)
    assert "AccessToken" in done["AuthenticationResult"]
    again = optional.sign_in(user)
    assert refusal(respond, optional, again, user, SOFTWARE_TOKEN_MFA_CODE=right) == (
        "ExpiredCodeException",
        "Your software token has already been used once.",
    )


def test_codes_by_mail_and_text(optional: Pool) -> None:
    email, phone = f"{name()}@example.com", "+15550100"
    user = optional.user(email=email, phone_number=phone)
    optional.admin.admin_set_user_mfa_preference(
        UserPoolId=optional.id,
        Username=user,
        SMSMfaSettings={"Enabled": True},
        EmailMfaSettings={"Enabled": True},
    )
    asked = optional.sign_in(user)
    assert asked["ChallengeName"] == "SELECT_MFA_TYPE"
    asked = respond(optional, asked, user, ANSWER="EMAIL_OTP")
    assert asked["ChallengeName"] == "EMAIL_OTP"
    done = respond(optional, asked, user, EMAIL_OTP_CODE=optional.code(email))
    assert "AccessToken" in done["AuthenticationResult"]
    asked = respond(optional, optional.sign_in(user), user, ANSWER="SMS_MFA")
    assert asked["ChallengeParameters"]["CODE_DELIVERY_DESTINATION"] == "+****0100"
    for _ in range(3):
        code, _message = refusal(respond, optional, asked, user, SMS_MFA_CODE="nonsense")
        assert code == "CodeMismatchException"
    assert refusal(respond, optional, asked, user, SMS_MFA_CODE=optional.code(phone)) == (
        "NotAuthorizedException",
        "Invalid session for the user, session is expired.",
    )


def test_where_everybody_needs_a_factor_it_is_set_up_at_the_first_sign_in(cloud: Any) -> None:
    pool = make_pool(cloud)
    pool.admin.set_user_pool_mfa_config(
        UserPoolId=pool.id,
        MfaConfiguration="ON",
        SoftwareTokenMfaConfiguration={"Enabled": True},
    )
    shown = pool.admin.get_user_pool_mfa_config(UserPoolId=pool.id)
    assert shown["MfaConfiguration"] == "ON"
    user = pool.user()
    asked = pool.sign_in(user)
    assert asked["ChallengeName"] == "MFA_SETUP"
    code, _ = refusal(respond, pool, asked, user)
    assert code == "NotAuthorizedException"
    asked = pool.sign_in(user)
    begun = pool.anyone.associate_software_token(Session=asked["Session"])
    tied = pool.anyone.verify_software_token(
        Session=begun["Session"], UserCode=code_of(begun["SecretCode"])
    )
    done = respond(pool, {**asked, "Session": tied["Session"]}, user)
    assert "AccessToken" in done["AuthenticationResult"]
    assert pool.sign_in(user)["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    pool.admin.delete_user_pool(UserPoolId=pool.id)


def test_who_has_the_password_cannot_guess_at_the_second_factor(optional: Pool) -> None:
    email = f"{name()}@example.com"
    user = optional.user(email=email)
    optional.admin.admin_set_user_mfa_preference(
        UserPoolId=optional.id, Username=user, EmailMfaSettings={"Enabled": True}
    )
    for _ in range(3):
        asked = optional.sign_in(user)
        for _ in range(2):
            code, _message = refusal(respond, optional, asked, user, EMAIL_OTP_CODE="wrong")
            assert code == "CodeMismatchException"
    assert refusal(optional.sign_in, user) == (
        "NotAuthorizedException",
        "Password attempts exceeded",
    )
