"""Wrong proofs of a password, stolen codes and sessions, refresh tokens that come back."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.services.cognito.client import FLOWS, PASSWORD, Pool, Srp, make_pool, name, refusal
from tests.services.cognito.refusals.conftest import BACK
from tests.services.cognito.test_hosted import VERIFIER, Browser, code_in, sign_in

WRONG = ("NotAuthorizedException", "Incorrect username or password.")
EXPIRED = ("NotAuthorizedException", "Invalid session for the user, session is expired.")
Change = Callable[[dict[str, str]], dict[str, str]]


def another(text: str) -> str:
    plain = bytearray(base64.b64decode(text))
    plain[0] ^= 1
    return base64.b64encode(plain).decode()


def other_client(pool: Pool) -> Pool:
    """The same pool through another client."""
    made = pool.admin.create_user_pool_client(
        UserPoolId=pool.id, ClientName="other", ExplicitAuthFlows=FLOWS
    )["UserPoolClient"]["ClientId"]
    return Pool(pool.cloud, pool.admin, pool.anyone, pool.id, made)


def asked(pool: Pool, user: str) -> tuple[Srp, dict[str, str]]:
    """A proof that has begun, and what the server told for it."""
    proof = Srp(pool.id, PASSWORD)
    begun = pool.anyone.initiate_auth(
        ClientId=pool.client,
        AuthFlow="USER_SRP_AUTH",
        AuthParameters={"USERNAME": user, "SRP_A": proof.begin},
    )
    told: dict[str, str] = begun["ChallengeParameters"]
    return proof, told


def answer(pool: Pool, responses: dict[str, str]) -> Any:
    return pool.anyone.respond_to_auth_challenge(
        ClientId=pool.client, ChallengeName="PASSWORD_VERIFIER", ChallengeResponses=responses
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda a: {**a, "PASSWORD_CLAIM_SIGNATURE": another(a["PASSWORD_CLAIM_SIGNATURE"])},
            WRONG,
        ),
        (lambda a: {**a, "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(b"").decode() or "="}, WRONG),
        (lambda a: {**a, "TIMESTAMP": "Mon Jan 1 00:00:00 UTC 2024"}, WRONG),
        (
            lambda a: {
                **a,
                "PASSWORD_CLAIM_SECRET_BLOCK": another(a["PASSWORD_CLAIM_SECRET_BLOCK"]),
            },
            EXPIRED,
        ),
    ],
    ids=["signature", "no signature", "time", "block"],
)
def test_a_wrong_proof_of_the_right_password_is_refused(
    pool: Pool, change: Change, said: tuple[str, str]
) -> None:
    proof, told = asked(pool, pool.user())
    assert refusal(answer, pool, change(proof.answer(told))) == said


def test_a_proof_for_one_user_does_not_sign_in_another(pool: Pool) -> None:
    ann, bob = pool.user(), pool.user()
    proof, told = asked(pool, ann)
    given = {**proof.answer(told), "USERNAME": bob}
    try:
        found = answer(pool, given)["AuthenticationResult"]
    except pool.anyone.exceptions.NotAuthorizedException:
        return
    assert pool.anyone.get_user(AccessToken=found["AccessToken"])["Username"] == ann


def test_a_proof_with_another_private_number_is_refused(pool: Pool) -> None:
    """Who saw a server's answer to somebody else, and even knows the password, cannot use it."""
    proof, told = asked(pool, pool.user())
    assert refusal(answer, pool, Srp(pool.id, PASSWORD).answer(told)) == WRONG
    assert proof.public


def test_a_proof_through_another_client_is_refused(pool: Pool) -> None:
    proof, told = asked(pool, pool.user())
    assert refusal(answer, other_client(pool), proof.answer(told)) == EXPIRED


def test_wrong_proofs_are_counted_as_wrong_passwords(pool: Pool) -> None:
    user = pool.user()
    for _ in range(6):
        code, message = refusal(pool.srp, user, "Wrong-Horse-7")
        assert code == "NotAuthorizedException"
    assert message == "Password attempts exceeded"


def test_a_session_is_for_its_client_only(pool: Pool) -> None:
    user = name()
    pool.admin.admin_create_user(
        UserPoolId=pool.id, Username=user, TemporaryPassword="Temporary-1", MessageAction="SUPPRESS"
    )
    session = pool.sign_in(user, "Temporary-1")["Session"]
    stolen = {
        "ChallengeName": "NEW_PASSWORD_REQUIRED",
        "ChallengeResponses": {"USERNAME": user, "NEW_PASSWORD": PASSWORD},
    }
    other = other_client(pool).client
    call = pool.anyone.respond_to_auth_challenge
    assert refusal(call, ClientId=other, Session=session, **stolen) == EXPIRED
    assert refusal(call, ClientId=pool.client, Session="guessed" * 4, **stolen) == EXPIRED


def test_somebody_elses_code_is_worth_nothing(pool: Pool) -> None:
    codes = {}
    for user in (name("ann"), name("bob")):
        email = f"{user}@example.com"
        pool.anyone.sign_up(
            ClientId=pool.client,
            Username=user,
            Password=PASSWORD,
            UserAttributes=[{"Name": "email", "Value": email}],
        )
        codes[user] = pool.code(email)
    ann, bob = codes
    if codes[ann] != codes[bob]:
        code, _ = refusal(
            pool.anyone.confirm_sign_up,
            ClientId=pool.client,
            Username=bob,
            ConfirmationCode=codes[ann],
        )
        assert code == "CodeMismatchException"
    pool.anyone.confirm_sign_up(ClientId=pool.client, Username=ann, ConfirmationCode=codes[ann])


def test_a_code_for_signing_up_resets_no_password(pool: Pool) -> None:
    user, email = name(), f"{name()}@example.com"
    pool.anyone.sign_up(
        ClientId=pool.client,
        Username=user,
        Password=PASSWORD,
        UserAttributes=[{"Name": "email", "Value": email}],
    )
    code, _ = refusal(
        pool.anyone.confirm_forgot_password,
        ClientId=pool.client,
        Username=user,
        ConfirmationCode=pool.code(email),
        Password="Another-Horse-8",
    )
    assert code in ("ExpiredCodeException", "CodeMismatchException")


def test_codes_expire(moved: Any, home: Pool) -> None:
    user, email = name(), f"{name()}@example.com"
    home.anyone.sign_up(
        ClientId=home.client,
        Username=user,
        Password=PASSWORD,
        UserAttributes=[{"Name": "email", "Value": email}],
    )
    given = {"ClientId": home.client, "Username": user, "ConfirmationCode": home.code(email)}
    with moved.later(24 * 3_600 + 1):
        code, _ = refusal(home.anyone.confirm_sign_up, **given)
    assert code == "ExpiredCodeException"


def test_a_session_expires(moved: Any, home: Pool) -> None:
    proof, told = asked(home, home.user())
    given = proof.answer(told)
    with moved.later(181):
        assert refusal(answer, home, given) == EXPIRED


def test_a_stolen_authorization_code_is_worth_nothing(moved: Any, home: Pool, domain: str) -> None:
    """Without its verifier, at another address, through another client, or too late."""
    browser = Browser(moved.endpoint, domain)
    other = home.admin.create_user_pool_client(
        UserPoolId=home.id,
        ClientName="other",
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=["openid"],
        CallbackURLs=[BACK],
    )["UserPoolClient"]["ClientId"]
    user = home.user()
    right = {
        "grant_type": "authorization_code",
        "client_id": home.client,
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
    }

    def fresh() -> str:
        back = sign_in(browser, home, user, prompt="login")
        assert parse_qs(urlsplit(back.to).query)["state"] == ["s&t"]
        return code_in(back)

    for wrong in (
        {"code_verifier": ""},
        {"code_verifier": "w" * 64},
        {"redirect_uri": "http://localhost:3000/evil"},
        {"client_id": other},
        {"code": "guessed"},
    ):
        stolen = browser.token(**{**right, "code": fresh(), **wrong})
        assert (stolen.status, stolen.json) == (400, {"error": "invalid_grant"}), wrong
    code = fresh()
    with moved.later(301):
        assert browser.token(**right, code=code).json == {"error": "invalid_grant"}
    code = fresh()
    assert "access_token" in browser.token(**right, code=code).json
    assert browser.token(**right, code=code).json == {"error": "invalid_grant"}


def test_a_refresh_token_of_another_client_is_refused_at_the_token_endpoint(
    moved: Any, home: Pool, domain: str
) -> None:
    browser = Browser(moved.endpoint, domain)
    rotating = home.admin.create_user_pool_client(
        UserPoolId=home.id,
        ClientName="rotating",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"],
        RefreshTokenRotation={"Feature": "ENABLED", "RetryGracePeriodSeconds": 0},
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=["openid"],
        CallbackURLs=[BACK],
    )["UserPoolClient"]["ClientId"]
    there = Pool(moved, home.admin, home.anyone, home.id, rotating)
    token = there.tokens(home.user())["RefreshToken"]
    asked = {"grant_type": "refresh_token", "refresh_token": token}
    assert browser.token(client_id=home.client, **asked).json == {"error": "invalid_grant"}
    assert "refresh_token" in browser.token(client_id=rotating, **asked).json
    reused = browser.token(client_id=rotating, **asked)
    assert (reused.status, reused.json) == (400, {"error": "invalid_grant"})


def test_a_token_of_a_deleted_or_disabled_user_is_refused(cloud: Any) -> None:
    pool = make_pool(cloud)
    gone, off = pool.user(), pool.user()
    tokens = {user: pool.tokens(user) for user in (gone, off)}
    pool.admin.admin_delete_user(UserPoolId=pool.id, Username=gone)
    pool.admin.admin_disable_user(UserPoolId=pool.id, Username=off)
    for user, found in tokens.items():
        code, _ = refusal(pool.anyone.get_user, AccessToken=found["AccessToken"])
        assert code in ("UserNotFoundException", "NotAuthorizedException"), user
        code, _ = refusal(
            pool.anyone.initiate_auth,
            ClientId=pool.client,
            AuthFlow="REFRESH_TOKEN_AUTH",
            AuthParameters={"REFRESH_TOKEN": found["RefreshToken"]},
        )
        assert code == "NotAuthorizedException"
    pool.admin.delete_user_pool(UserPoolId=pool.id)
