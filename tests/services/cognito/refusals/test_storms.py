"""Many at once: nothing is given twice, and nobody signs up twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.services.cognito.client import PASSWORD, Pool, make_pool, name, refusal


def outcomes(count: int, call: Any) -> list[str]:
    """ "" for each call that was carried out, else the code of its refusal."""

    def once(_: int) -> str:
        try:
            return refusal(call)[0]
        except AssertionError:
            return ""

    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(once, range(count)))


def test_one_of_many_gets_a_name(pool: Pool) -> None:
    user = name()

    def sign_up() -> None:
        pool.anyone.sign_up(ClientId=pool.client, Username=user, Password=PASSWORD)

    found = outcomes(16, sign_up)
    assert found.count("") == 1
    assert set(found) == {"", "UsernameExistsException"}


def test_a_refresh_token_is_exchanged_once(cloud: Any) -> None:
    rotating = make_pool(
        cloud,
        {
            "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"],
            "RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0},
        },
    )
    token = rotating.tokens(rotating.user())["RefreshToken"]

    def exchange() -> None:
        rotating.anyone.get_tokens_from_refresh_token(RefreshToken=token, ClientId=rotating.client)

    found = outcomes(16, exchange)
    assert found.count("") == 1
    assert set(found) == {"", "RefreshTokenReuseException"}
    rotating.admin.delete_user_pool(UserPoolId=rotating.id)


def test_a_code_is_taken_once(pool: Pool) -> None:
    user, email = name(), f"{name()}@example.com"
    pool.anyone.sign_up(
        ClientId=pool.client,
        Username=user,
        Password=PASSWORD,
        UserAttributes=[{"Name": "email", "Value": email}],
    )
    code = pool.code(email)

    def confirm() -> None:
        pool.anyone.confirm_sign_up(ClientId=pool.client, Username=user, ConfirmationCode=code)

    found = outcomes(8, confirm)
    assert found.count("") == 1
