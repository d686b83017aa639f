"""Signing up and confirming, names that are addresses, and aliases."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from tests.services.cognito.client import PASSWORD, Pool, make_pool, name, refusal


def sign_up(pool: Pool, user: str, **attributes: str) -> dict[str, Any]:
    answer: dict[str, Any] = pool.anyone.sign_up(
        ClientId=pool.client,
        Username=user,
        Password=PASSWORD,
        UserAttributes=[{"Name": k, "Value": v} for k, v in attributes.items()],
    )
    return answer


def test_a_code_confirms_an_account(pool: Pool) -> None:
    user, email = name(), f"{name()}@example.com"
    answer = sign_up(pool, user, email=email)
    assert answer["UserConfirmed"] is False
    assert answer["CodeDeliveryDetails"] == {
        "Destination": f"{email[0]}***@e***",
        "DeliveryMedium": "EMAIL",
        "AttributeName": "email",
    }
    assert refusal(pool.sign_in, user) == (
        "UserNotConfirmedException",
        "User is not confirmed.",
    )
    code = pool.code(email)
    wrong = "000000" if code != "000000" else "000001"
    confirm = {"ClientId": pool.client, "Username": user}
    assert refusal(pool.anyone.confirm_sign_up, ConfirmationCode=wrong, **confirm) == (
        "CodeMismatchException",
        "Invalid verification code provided, please try again.",
    )
    pool.anyone.confirm_sign_up(ConfirmationCode=code, **confirm)
    assert refusal(pool.anyone.confirm_sign_up, ConfirmationCode=code, **confirm) == (
        "NotAuthorizedException",
        "User cannot be confirmed. Current status is CONFIRMED",
    )
    shown = pool.admin.admin_get_user(UserPoolId=pool.id, Username=user)
    assert {"Name": "email_verified", "Value": "true"} in shown["UserAttributes"]
    assert "AuthenticationResult" in pool.sign_in(user)


def test_codes_cannot_be_guessed(pool: Pool) -> None:
    user, email = name(), f"{name()}@example.com"
    sign_up(pool, user, email=email)
    code = pool.code(email)
    wrong = "000000" if code != "000000" else "000001"
    confirm = {"ClientId": pool.client, "Username": user}
    said = [
        refusal(pool.anyone.confirm_sign_up, ConfirmationCode=wrong, **confirm)[0] for _ in range(6)
    ]
    assert said == ["CodeMismatchException"] * 5 + ["LimitExceededException"]
    assert refusal(pool.anyone.confirm_sign_up, ConfirmationCode=code, **confirm) == (
        "LimitExceededException",
        "Attempt limit exceeded, please try after some time.",
    )


def test_another_code_makes_the_first_worthless(pool: Pool) -> None:
    user, email = name(), f"{name()}@example.com"
    sign_up(pool, user, email=email)
    first = pool.code(email)
    pool.anyone.resend_confirmation_code(ClientId=pool.client, Username=user)
    second = pool.code(email)
    if first != second:
        code, _ = refusal(
            pool.anyone.confirm_sign_up,
            ClientId=pool.client,
            Username=user,
            ConfirmationCode=first,
        )
        assert code == "CodeMismatchException"
    pool.anyone.confirm_sign_up(ClientId=pool.client, Username=user, ConfirmationCode=second)
    assert refusal(pool.anyone.resend_confirmation_code, ClientId=pool.client, Username=user) == (
        "InvalidParameterException",
        "User is already confirmed.",
    )


def test_a_name_is_taken_once(pool: Pool) -> None:
    user = name()
    sign_up(pool, user)
    assert refusal(sign_up, pool, user) == ("UsernameExistsException", "User already exists")


@pytest.mark.parametrize(
    ("password", "lacks"),
    [
        ("Sh0rt!", "Password not long enough"),
        ("lower-case-1", "Password must have uppercase characters"),
        ("UPPER-CASE-1", "Password must have lowercase characters"),
        ("No-Numbers-x", "Password must have numeric characters"),
        ("NoSymbols123", "Password must have symbol characters"),
    ],
)
def test_a_password_is_held_against_the_policy(pool: Pool, password: str, lacks: str) -> None:
    # https://docs.aws.amazon.com/cognito/latest/developerguide/managing-users-passwords.html
    assert refusal(
        pool.anyone.sign_up, ClientId=pool.client, Username=name(), Password=password
    ) == ("InvalidPasswordException", f"Password did not conform with policy: {lacks}")


def test_a_pool_may_leave_signing_up_to_administrators(cloud: Any) -> None:
    closed = make_pool(cloud, AdminCreateUserConfig={"AllowAdminCreateUserOnly": True})
    assert refusal(sign_up, closed, "ann") == (
        "NotAuthorizedException",
        "SignUp is not permitted for this user pool",
    )
    closed.admin.delete_user_pool(UserPoolId=closed.id)


def test_an_address_may_be_the_name(cloud: Any) -> None:
    pool = make_pool(
        cloud,
        UsernameAttributes=["email"],
        AutoVerifiedAttributes=["email"],
        UsernameConfiguration={"CaseSensitive": False},
    )
    assert refusal(sign_up, pool, "ann") == (
        "InvalidParameterException",
        "Username should be an email.",
    )
    answer = sign_up(pool, "Ann@Example.com")
    assert refusal(sign_up, pool, "ann@example.com") == (
        "UsernameExistsException",
        "An account with the given email already exists.",
    )
    code = pool.code("ann@example.com")
    pool.anyone.confirm_sign_up(
        ClientId=pool.client, Username="ann@example.com", ConfirmationCode=code
    )
    tokens = pool.srp("ANN@example.com")["AuthenticationResult"]
    me = pool.anyone.get_user(AccessToken=tokens["AccessToken"])
    assert me["Username"] == answer["UserSub"]
    assert {"Name": "email", "Value": "ann@example.com"} in me["UserAttributes"]
    pool.admin.delete_user_pool(UserPoolId=pool.id)


def test_an_alias_counts_once_it_is_verified(cloud: Any) -> None:
    # https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html
    pool = make_pool(cloud, AliasAttributes=["email"], AutoVerifiedAttributes=["email"])
    for user in ("ann", "bob"):
        sign_up(pool, user, email="shared@example.com")
        if user == "ann":
            code = pool.code("shared@example.com")
            pool.anyone.confirm_sign_up(ClientId=pool.client, Username=user, ConfirmationCode=code)
    code = pool.code("shared@example.com")
    confirm = {"ClientId": pool.client, "Username": "bob"}
    assert (
        refusal(pool.anyone.confirm_sign_up, ConfirmationCode=code, **confirm)[0]
        == "AliasExistsException"
    )
    assert pool.srp("shared@example.com")["AuthenticationResult"]
    assert refusal(sign_up, pool, "cat@example.com") == (
        "InvalidParameterException",
        "Username cannot be of email format, since user pool is configured for email alias.",
    )
    pool.admin.delete_user_pool(UserPoolId=pool.id)


def test_the_command_line_shows_the_mail(pool: Pool, cloud: Any) -> None:
    email = f"{name()}@example.com"
    sign_up(pool, name(), email=email)
    words = [sys.executable, "-m", "cumulet", "mail", email, "--data", str(cloud.data)]
    done = subprocess.run([*words, "--json"], capture_output=True, text=True, check=True)
    (message,) = json.loads(done.stdout)
    assert message["medium"] == "EMAIL"
    shown = subprocess.run([*words, "--last"], capture_output=True, text=True, check=True)
    assert message["body"] in shown.stdout
    listed = subprocess.run(words, capture_output=True, text=True, check=True)
    assert email in listed.stdout
