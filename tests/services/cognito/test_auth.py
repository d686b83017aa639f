"""Signing in: SRP proved for real, passwords, refresh tokens, and everything that is refused."""

from __future__ import annotations

import time
from typing import Any

from tests.services.cognito.client import (
    PASSWORD,
    Pool,
    Srp,
    claims_of,
    make_pool,
    name,
    refusal,
    secret_hash,
)


def test_srp_signs_in_with_the_right_password(pool: Pool) -> None:
    user = pool.user()
    answer = pool.srp(user)["AuthenticationResult"]
    assert claims_of(answer["IdToken"])["cognito:username"] == user
    assert answer["TokenType"] == "Bearer"
    assert answer["ExpiresIn"] == 3600


def test_srp_refuses_a_wrong_password(pool: Pool) -> None:
    user = pool.user()
    assert refusal(pool.srp, user, "Wrong-Horse-7") == (
        "NotAuthorizedException",
        "Incorrect username or password.",
    )


def test_a_proof_is_good_for_once(pool: Pool) -> None:
    user, proof = pool.user(), Srp(pool.id, PASSWORD)
    begun = pool.anyone.initiate_auth(
        ClientId=pool.client,
        AuthFlow="USER_SRP_AUTH",
        AuthParameters={"USERNAME": user, "SRP_A": proof.begin},
    )
    given = {
        "ClientId": pool.client,
        "ChallengeName": "PASSWORD_VERIFIER",
        "ChallengeResponses": proof.answer(begun["ChallengeParameters"]),
    }
    assert "AuthenticationResult" in pool.anyone.respond_to_auth_challenge(**given)
    assert refusal(pool.anyone.respond_to_auth_challenge, **given)[0] == "NotAuthorizedException"


def test_a_public_number_that_gives_the_key_away_is_refused(pool: Pool) -> None:
    user = pool.user()
    from tests.services.cognito.client import N

    for number in (0, N, 2 * N):
        code, _ = refusal(
            pool.anyone.initiate_auth,
            ClientId=pool.client,
            AuthFlow="USER_SRP_AUTH",
            AuthParameters={"USERNAME": user, "SRP_A": f"{number:x}"},
        )
        assert code == "InvalidParameterException"


def test_a_password_signs_in(pool: Pool) -> None:
    user = pool.user(email=f"{name()}@example.com")
    tokens = pool.tokens(user)
    access, identity = claims_of(tokens["AccessToken"]), claims_of(tokens["IdToken"])
    # https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
    assert access["iss"] == f"https://cognito-idp.us-east-1.amazonaws.com/{pool.id}"
    assert access["token_use"] == "access"
    assert access["client_id"] == pool.client
    assert access["username"] == user
    assert access["scope"] == "aws.cognito.signin.user.admin"
    assert identity["aud"] == pool.client
    assert identity["token_use"] == "id"
    assert identity["sub"] == access["sub"]
    assert identity["origin_jti"] == access["origin_jti"]
    assert identity["email"].endswith("@example.com")


def test_a_wrong_password_and_nobody_are_told_apart_only_when_the_client_says_so(
    cloud: Any, pool: Pool
) -> None:
    assert refusal(pool.sign_in, name("nobody")) == (
        "UserNotFoundException",
        "User does not exist.",
    )
    hiding = make_pool(cloud, {"PreventUserExistenceErrors": "ENABLED"})
    assert refusal(hiding.sign_in, "nobody") == (
        "NotAuthorizedException",
        "Incorrect username or password.",
    )
    first, again = (
        hiding.anyone.initiate_auth(
            ClientId=hiding.client,
            AuthFlow="USER_SRP_AUTH",
            AuthParameters={"USERNAME": "nobody", "SRP_A": Srp(hiding.id, "x").begin},
        )["ChallengeParameters"]["SALT"]
        for _ in range(2)
    )
    assert first == again
    assert refusal(hiding.srp, "nobody")[0] == "NotAuthorizedException"
    hiding.admin.delete_user_pool(UserPoolId=hiding.id)


def test_five_wrong_passwords_lock_for_a_while(pool: Pool) -> None:
    # https://docs.aws.amazon.com/cognito/latest/developerguide/authentication.html#authentication-flow-lockout-behavior
    user = pool.user()
    for _ in range(6):
        code, message = refusal(pool.sign_in, user, "Wrong-Horse-7")
        assert code == "NotAuthorizedException"
    assert message == "Password attempts exceeded"
    assert refusal(pool.sign_in, user) == ("NotAuthorizedException", "Password attempts exceeded")


def test_a_flow_that_the_client_does_not_allow_is_refused(cloud: Any) -> None:
    narrow = make_pool(cloud, {"ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH"]})
    user = narrow.user()
    assert refusal(narrow.sign_in, user) == (
        "InvalidParameterException",
        "USER_PASSWORD_AUTH flow not enabled for this client",
    )
    assert refusal(narrow.srp, user) == (
        "InvalidParameterException",
        "USER_SRP_AUTH is not enabled for the client.",
    )
    narrow.admin.delete_user_pool(UserPoolId=narrow.id)


def test_a_client_with_a_secret_needs_its_hash(cloud: Any) -> None:
    kept = make_pool(cloud, {"GenerateSecret": True})
    user = kept.user()
    assert "AuthenticationResult" in kept.sign_in(user)
    assert "AuthenticationResult" in kept.srp(user)
    begin = {"ClientId": kept.client, "AuthFlow": "USER_PASSWORD_AUTH"}
    plain = {"USERNAME": user, "PASSWORD": PASSWORD}
    code, message = refusal(kept.anyone.initiate_auth, AuthParameters=plain, **begin)
    assert code == "NotAuthorizedException"
    assert message.endswith("is configured with secret but SECRET_HASH was not received")
    wrong = {**plain, "SECRET_HASH": secret_hash(user, kept.client, "guessed")}
    code, message = refusal(kept.anyone.initiate_auth, AuthParameters=wrong, **begin)
    assert message == f"Unable to verify secret hash for client {kept.client}"
    kept.admin.delete_user_pool(UserPoolId=kept.id)


def test_a_refresh_token_gives_fresh_tokens_until_it_is_revoked(pool: Pool) -> None:
    tokens = pool.tokens(pool.user())
    refresh = {
        "ClientId": pool.client,
        "AuthFlow": "REFRESH_TOKEN_AUTH",
        "AuthParameters": {"REFRESH_TOKEN": tokens["RefreshToken"]},
    }
    fresh = pool.anyone.initiate_auth(**refresh)["AuthenticationResult"]
    assert "RefreshToken" not in fresh
    before, now = claims_of(tokens["AccessToken"]), claims_of(fresh["AccessToken"])
    assert (before["origin_jti"], before["auth_time"]) == (now["origin_jti"], now["auth_time"])
    assert before["jti"] != now["jti"]
    pool.anyone.revoke_token(Token=tokens["RefreshToken"], ClientId=pool.client)
    assert refusal(pool.anyone.initiate_auth, **refresh) == (
        "NotAuthorizedException",
        "Refresh Token has been revoked",
    )
    assert refusal(pool.anyone.get_user, AccessToken=fresh["AccessToken"]) == (
        "NotAuthorizedException",
        "Access Token has been revoked",
    )


def test_a_refresh_token_of_another_client_is_refused(pool: Pool) -> None:
    other = pool.admin.create_user_pool_client(
        UserPoolId=pool.id, ClientName="other", ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"]
    )["UserPoolClient"]["ClientId"]
    tokens = pool.tokens(pool.user())
    assert refusal(
        pool.anyone.initiate_auth,
        ClientId=other,
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": tokens["RefreshToken"]},
    ) == ("NotAuthorizedException", "Invalid Refresh Token")
    assert (
        refusal(pool.anyone.revoke_token, Token=tokens["RefreshToken"], ClientId=other)[0]
        == "UnauthorizedException"
    )


def test_a_rotated_refresh_token_is_not_taken_again(cloud: Any) -> None:
    # https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-refresh-token.html
    rotating = make_pool(
        cloud,
        {
            "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"],
            "RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0},
        },
    )
    first = rotating.tokens(rotating.user())["RefreshToken"]
    exchange = rotating.anyone.get_tokens_from_refresh_token
    second = exchange(RefreshToken=first, ClientId=rotating.client)["AuthenticationResult"]
    assert second["RefreshToken"] != first
    code, _ = refusal(exchange, RefreshToken=first, ClientId=rotating.client)
    assert code == "RefreshTokenReuseException"
    third = exchange(RefreshToken=second["RefreshToken"], ClientId=rotating.client)
    assert "RefreshToken" in third["AuthenticationResult"]
    rotating.admin.delete_user_pool(UserPoolId=rotating.id)


def test_global_sign_out_ends_every_sign_in(pool: Pool) -> None:
    user = pool.user()
    one, two = pool.tokens(user), pool.tokens(user)
    pool.anyone.global_sign_out(AccessToken=one["AccessToken"])
    for tokens in (one, two):
        assert (
            refusal(pool.anyone.get_user, AccessToken=tokens["AccessToken"])[1]
            == "Access Token has been revoked"
        )
    third = pool.tokens(user)
    pool.admin.admin_user_global_sign_out(UserPoolId=pool.id, Username=user)
    assert refusal(pool.anyone.get_user, AccessToken=third["AccessToken"])[0] == (
        "NotAuthorizedException"
    )


def test_tokens_that_are_altered_or_anothers_are_refused(cloud: Any, pool: Pool) -> None:
    tokens = pool.tokens(pool.user())
    head, body, signature = tokens["AccessToken"].split(".")
    none = "eyJhbGciOiJub25lIiwia2lkIjoieCJ9"
    _, other, _ = pool.tokens(pool.user())["AccessToken"].split(".")
    for token in (
        f"{head}.{other}.{signature}",
        f"{none}.{body}.",
        f"{none}.{body}.{signature}",
        tokens["IdToken"],
        tokens["RefreshToken"],
        "a.b.c",
    ):
        assert refusal(pool.anyone.get_user, AccessToken=token) == (
            "NotAuthorizedException",
            "Invalid Access Token",
        )


def test_an_administrator_signs_somebody_in(pool: Pool) -> None:
    user = pool.user()
    answer = pool.admin.admin_initiate_auth(
        UserPoolId=pool.id,
        ClientId=pool.client,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": user, "PASSWORD": PASSWORD},
    )
    assert "AccessToken" in answer["AuthenticationResult"]
    assert (
        refusal(
            pool.anyone.initiate_auth,
            ClientId=pool.client,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": user, "PASSWORD": PASSWORD},
        )[0]
        == "InvalidParameterException"
    )


def test_a_temporary_password_must_be_changed(pool: Pool) -> None:
    user = name()
    pool.admin.admin_create_user(
        UserPoolId=pool.id, Username=user, TemporaryPassword="Temporary-1", MessageAction="SUPPRESS"
    )
    asked = pool.srp(user, "Temporary-1")
    assert asked["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    answer = {
        "UserPoolId": pool.id,
        "ClientId": pool.client,
        "ChallengeName": "NEW_PASSWORD_REQUIRED",
        "Session": asked["Session"],
        "ChallengeResponses": {"USERNAME": user, "NEW_PASSWORD": PASSWORD},
    }
    done = pool.admin.admin_respond_to_auth_challenge(**answer)
    assert "AccessToken" in done["AuthenticationResult"]
    assert refusal(pool.admin.admin_respond_to_auth_challenge, **answer) == (
        "NotAuthorizedException",
        "Invalid session for the user, session is expired.",
    )
    shown = pool.admin.admin_get_user(UserPoolId=pool.id, Username=user)
    assert shown["UserStatus"] == "CONFIRMED"
    assert "AuthenticationResult" in pool.sign_in(user)


def test_devices_are_refused_by_name(pool: Pool) -> None:
    code, message = refusal(pool.sign_in, pool.user(), PASSWORD, DEVICE_KEY="us-east-1_x")
    assert code == "InvalidParameterException"
    assert "Device tracking is not supported" in message


def test_sign_ins_survive_a_kill(new_cloud: Any) -> None:
    cloud = new_cloud()
    pool = make_pool(cloud)
    user = pool.user()
    tokens = pool.tokens(user)
    cloud.kill()
    cloud.start()
    anyone = cloud.client("cognito-idp", unsigned=True)
    assert anyone.get_user(AccessToken=tokens["AccessToken"])["Username"] == user
    fresh = anyone.initiate_auth(
        ClientId=pool.client,
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": tokens["RefreshToken"]},
    )["AuthenticationResult"]
    kids = [token.split(".")[0] for token in (tokens["AccessToken"], fresh["AccessToken"])]
    assert kids[0] == kids[1]
    assert claims_of(fresh["AccessToken"])["exp"] > time.time()
