"""The functions that a pool calls, each with the event and the effect that AWS documents.

https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.services.cognito.client import PASSWORD, Srp, claims_of, make_pool, name, refusal
from tests.services.cognito.functions import trigger

# One function for all triggers: what it does is in the event that it is given.
SOURCE = """
SEEN = []

def handler(event, context):
    source, request, response = event["triggerSource"], event["request"], event["response"]
    user = event["userName"]
    if source in ("PreSignUp_SignUp",):
        if user.startswith("refused"):
            raise Exception("no such people")
        response["autoConfirmUser"] = user.startswith("auto")
        response["autoVerifyEmail"] = user.startswith("auto")
    if source == "PreAuthentication_Authentication" and user.startswith("blocked"):
        raise Exception("you are blocked")
    if source == "TokenGeneration_Authentication" and event["version"] == "2":
        response["claimsAndScopeOverrideDetails"] = {
            "idTokenGeneration": {"claimsToAddOrOverride": {"plan": {"n": 1}, "sub": "forged"}},
            "accessTokenGeneration": {
                "claimsToAddOrOverride": {"tenant": request["scopes"]},
                "scopesToAdd": ["extra"],
            },
            "groupOverrideDetails": {"groupsToOverride": ["given"]},
        }
    elif source.startswith("TokenGeneration"):
        response["claimsOverrideDetails"] = {
            "claimsToAddOrOverride": {"plan": "gold", "source": source},
            "claimsToSuppress": ["email"],
        }
    if source == "UserMigration_Authentication":
        if request["password"] == "Legacy-Horse-7":
            response["userAttributes"] = {"email": "m@example.com", "email_verified": "true"}
            response["finalUserStatus"] = "CONFIRMED"
    if source.startswith("CustomMessage_"):
        response["emailSubject"] = source
        response["emailMessage"] = "Hello " + user + ": " + request["codeParameter"]
    if source == "DefineAuthChallenge_Authentication":
        session = request["session"]
        if session and session[-1]["challengeName"] == "SRP_A":
            response["challengeName"] = "PASSWORD_VERIFIER"
        elif session and session[-1]["challengeName"] == "CUSTOM_CHALLENGE":
            response["issueTokens"] = session[-1]["challengeResult"]
            response["failAuthentication"] = not session[-1]["challengeResult"]
        else:
            response["challengeName"] = "CUSTOM_CHALLENGE"
    if source == "CreateAuthChallenge_Authentication":
        response["publicChallengeParameters"] = {"question": "2+2"}
        response["privateChallengeParameters"] = {"answer": "4"}
        response["challengeMetadata"] = "SUM"
    if source == "VerifyAuthChallengeResponse_Authentication":
        right = request["privateChallengeParameters"]["answer"]
        response["answerCorrect"] = request["challengeAnswer"] == right
    return event
"""
ALL = (
    *("PreSignUp", "PostConfirmation", "PreAuthentication", "PostAuthentication"),
    *("UserMigration", "CustomMessage", "DefineAuthChallenge", "CreateAuthChallenge"),
    *("VerifyAuthChallengeResponse", "PreTokenGeneration"),
)


@pytest.fixture(scope="module")
def function(cloud: Any) -> Iterator[str]:
    with trigger(cloud, SOURCE) as arn:
        yield arn


@pytest.fixture(scope="module")
def watched(cloud: Any, function: str) -> Iterator[Any]:
    """A pool all of whose triggers are that function."""
    made = make_pool(
        cloud,
        AutoVerifiedAttributes=["email"],
        LambdaConfig=dict.fromkeys(ALL, function),
    )
    yield made
    made.admin.delete_user_pool(UserPoolId=made.id)


def sign_up(pool: Any, user: str, email: str) -> dict[str, Any]:
    answer: dict[str, Any] = pool.anyone.sign_up(
        ClientId=pool.client,
        Username=user,
        Password=PASSWORD,
        UserAttributes=[{"Name": "email", "Value": email}],
    )
    return answer


def test_pre_sign_up_confirms_or_refuses(watched: Any) -> None:
    user = name("auto")
    assert sign_up(watched, user, "auto@example.com")["UserConfirmed"] is True
    shown = watched.admin.admin_get_user(UserPoolId=watched.id, Username=user)
    assert {"Name": "email_verified", "Value": "true"} in shown["UserAttributes"]
    assert refusal(sign_up, watched, name("refused"), "r@example.com") == (
        "UserLambdaValidationException",
        "PreSignUp failed with error no such people.",
    )


def test_custom_message_writes_the_mail(watched: Any) -> None:
    user, email = name("plain"), f"{name()}@example.com"
    sign_up(watched, user, email)
    (mail,) = watched.mail(email)
    assert mail["subject"] == "CustomMessage_SignUp"
    assert mail["body"].startswith(f"Hello {user}: ")
    watched.anyone.confirm_sign_up(
        ClientId=watched.client, Username=user, ConfirmationCode=watched.code(email)
    )


def test_pre_authentication_keeps_somebody_out(watched: Any) -> None:
    user = watched.user(name("blocked"))
    assert refusal(watched.sign_in, user) == (
        "UserLambdaValidationException",
        "PreAuthentication failed with error you are blocked.",
    )


def test_pre_token_generation_changes_claims(watched: Any) -> None:
    user = watched.user(email=f"{name()}@example.com")
    claims = claims_of(watched.tokens(user)["IdToken"])
    assert (claims["plan"], claims["source"]) == ("gold", "TokenGeneration_Authentication")
    assert "email" not in claims


def test_pre_token_generation_v2_changes_access_tokens_too(cloud: Any, function: str) -> None:
    configured = {"LambdaVersion": "V2_0", "LambdaArn": function}
    pool = make_pool(cloud, LambdaConfig={"PreTokenGenerationConfig": configured})
    tokens = pool.tokens(pool.user())
    access, identity = claims_of(tokens["AccessToken"]), claims_of(tokens["IdToken"])
    assert access["tenant"] == ["aws.cognito.signin.user.admin"]
    assert access["scope"] == "aws.cognito.signin.user.admin extra"
    assert identity["plan"] == {"n": 1}
    assert identity["sub"] == access["sub"] != "forged"
    assert identity["cognito:groups"] == ["given"]
    pool.admin.delete_user_pool(UserPoolId=pool.id)


def test_a_user_is_migrated_at_the_first_sign_in(watched: Any) -> None:
    user = name("migrated")
    assert refusal(watched.sign_in, user, "Wrong-Horse-7")[0] == "UserNotFoundException"
    assert "AuthenticationResult" in watched.sign_in(user, "Legacy-Horse-7")
    assert "AuthenticationResult" in watched.srp(user, "Legacy-Horse-7")
    shown = watched.admin.admin_get_user(UserPoolId=watched.id, Username=user)
    assert {"Name": "email", "Value": "m@example.com"} in shown["UserAttributes"]


def test_custom_challenges(watched: Any) -> None:
    user = watched.user()
    begin = {
        "ClientId": watched.client,
        "AuthFlow": "CUSTOM_AUTH",
        "AuthParameters": {"USERNAME": user},
    }
    asked = watched.anyone.initiate_auth(**begin)
    assert asked["ChallengeName"] == "CUSTOM_CHALLENGE"
    assert asked["ChallengeParameters"] == {"USERNAME": user, "question": "2+2"}

    def answer(session: str, text: str) -> Any:
        return watched.anyone.respond_to_auth_challenge(
            ClientId=watched.client,
            ChallengeName="CUSTOM_CHALLENGE",
            Session=session,
            ChallengeResponses={"USERNAME": user, "ANSWER": text},
        )

    assert refusal(answer, asked["Session"], "5") == (
        "NotAuthorizedException",
        "Incorrect username or password.",
    )
    asked = watched.anyone.initiate_auth(**begin)
    assert "AccessToken" in answer(asked["Session"], "4")["AuthenticationResult"]


def test_custom_challenges_after_srp(watched: Any) -> None:
    user, proof = watched.user(), Srp(watched.id, PASSWORD)
    begun = watched.anyone.initiate_auth(
        ClientId=watched.client,
        AuthFlow="CUSTOM_AUTH",
        AuthParameters={"USERNAME": user, "CHALLENGE_NAME": "SRP_A", "SRP_A": proof.begin},
    )
    assert begun["ChallengeName"] == "PASSWORD_VERIFIER"
    asked = watched.anyone.respond_to_auth_challenge(
        ClientId=watched.client,
        ChallengeName="PASSWORD_VERIFIER",
        Session=begun["Session"],
        ChallengeResponses=proof.answer(begun["ChallengeParameters"]),
    )
    assert asked["ChallengeName"] == "CUSTOM_CHALLENGE"


def test_a_function_that_was_not_permitted_is_not_called(cloud: Any) -> None:
    with trigger(cloud, SOURCE, permitted=False) as arn:
        pool = make_pool(cloud, LambdaConfig={"PreSignUp": arn})
        code, message = refusal(sign_up, pool, "ann", "a@example.com")
        assert code == "UnexpectedLambdaException"
        assert message == "PreSignUp invocation failed due to error AccessDeniedException."
        pool.admin.delete_user_pool(UserPoolId=pool.id)
