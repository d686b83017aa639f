"""False tokens at every door: the API, userInfo, and the authorizers of both kinds of gateways.

Each false token is made from a true one that the same door takes, so that nothing else is wrong.
https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from tests.services.cognito.client import Pool, claims_of, make_pool, refusal
from tests.services.cognito.refusals.conftest import CLIENT
from tests.services.cognito.refusals.doors import get, get_user, http_api, rest_api
from tests.services.cognito.test_hosted import BACK, VERIFIER, Browser, code_in, sign_in

Door = Callable[[str], int]
DOORS = ("GetUser", "userInfo", "REST API", "REST API with scopes", "HTTP API")
FORGERIES = (
    *("another subject", "a later end", "no signature", "another signature", "alg none"),
    *("alg None", "alg none, signed", "HS256 by the public key", "RS512", "another key"),
    *("another key in the head", "no key id", "a fourth part", "a space", "nothing"),
)


def segment(value: Any) -> str:
    plain = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()


class Forger:
    """Makes false tokens of a true one; has a key of its own, and the pool's public ones."""

    def __init__(self, keys: bytes) -> None:
        self.keys = json.loads(keys)["keys"]
        self.own = rsa.generate_private_key(65_537, 2_048)

    def _signed(self, head: dict[str, Any], body: str) -> str:
        text = f"{segment(head)}.{body}"
        return f"{text}.{segment(self.own.sign(text.encode(), padding.PKCS1v15(), SHA256()))}"

    def _own_key(self) -> dict[str, str]:
        number = self.own.public_key().public_numbers().n
        return {"kty": "RSA", "e": "AQAB", "n": segment(number.to_bytes(256))}

    def forge(self, kind: str, token: str) -> str:
        head, body, signature = token.split(".")
        kid, claims = self.keys[0]["kid"], claims_of(token)
        text = f"{segment({'alg': 'HS256', 'kid': kid})}.{body}"
        flipped = signature[:-8] + ("A" if signature[-8] != "A" else "B") + signature[-7:]
        public = json.dumps(self.keys[0]).encode()
        found = {
            "another subject": f"{head}.{segment({**claims, 'sub': 'else'})}.{signature}",
            "a later end": f"{head}.{segment({**claims, 'exp': claims['exp'] + 9})}.{signature}",
            "no signature": f"{head}.{body}.",
            "another signature": f"{head}.{body}.{flipped}",
            "alg none": f"{segment({'alg': 'none', 'kid': kid})}.{body}.",
            "alg None": f"{segment({'alg': 'None'})}.{body}.",
            "alg none, signed": f"{segment({'alg': 'none', 'kid': kid})}.{body}.{signature}",
            "HS256 by the public key": f"{text}."
            + segment(hmac.new(public, text.encode(), hashlib.sha256).digest()),
            "RS512": f"{segment({'alg': 'RS512', 'kid': kid})}.{body}.{signature}",
            "another key": self._signed({"alg": "RS256", "kid": kid}, body),
            "another key in the head": self._signed(
                {"alg": "RS256", "kid": kid, "jwk": self._own_key()}, body
            ),
            "no key id": self._signed({"alg": "RS256"}, body),
            "a fourth part": f"{token}.x",
            "a space": f"{head}. {body}.{signature}",
            "nothing": "",
        }
        return found[kind]


@pytest.fixture(scope="module")
def forger(moved: Any, home: Pool) -> Forger:
    return Forger(moved.get(f"/{home.id}/.well-known/jwks.json")[1])


@pytest.fixture(scope="module")
def doors(moved: Any, home: Pool, domain: str) -> dict[str, Door]:
    """By name, what says how a token is answered."""
    plain, http = rest_api(moved, home), http_api(moved, home)
    scoped = rest_api(moved, home, ["email"])
    info = f"{moved.endpoint}{domain}/oauth2/userInfo"
    return {
        "GetUser": lambda token: get_user(home, token or "x"),
        "userInfo": lambda token: get(info, f"Bearer {token}")[0],
        "REST API": lambda token: get(plain, token)[0],
        "REST API with scopes": lambda token: get(scoped, token)[0],
        "HTTP API": lambda token: get(http, f"Bearer {token}")[0],
    }


def tokens_by_code(pool: Pool, domain: str) -> dict[str, str]:
    """The tokens of somebody who signed in on the pages: they have scopes for every door."""
    browser = Browser(pool.cloud.endpoint, domain)
    code = code_in(sign_in(browser, pool, pool.user(email="d@example.com")))
    found: dict[str, str] = browser.token(
        grant_type="authorization_code",
        client_id=pool.client,
        redirect_uri=BACK,
        code=code,
        code_verifier=VERIFIER,
    ).json
    return found


def fit_for(door: str, tokens: dict[str, str]) -> str:
    """The kind of token that a door takes."""
    return tokens["id_token" if door == "REST API" else "access_token"]


@pytest.fixture(scope="module")
def tokens(home: Pool, domain: str) -> dict[str, str]:
    return tokens_by_code(home, domain)


@pytest.mark.parametrize("door", DOORS)
def test_a_true_token_is_taken(doors: dict[str, Door], tokens: dict[str, str], door: str) -> None:
    assert doors[door](fit_for(door, tokens)) == 200


@pytest.mark.parametrize("door", DOORS)
def test_false_tokens_are_refused(
    doors: dict[str, Door], forger: Forger, tokens: dict[str, str], door: str
) -> None:
    true = fit_for(door, tokens)
    taken = {kind: doors[door](forger.forge(kind, true)) for kind in FORGERIES}
    assert taken == dict.fromkeys(FORGERIES, 400 if door == "GetUser" else 401)


# An HTTP API takes both uses: an identity token has the client as its audience.
@pytest.mark.parametrize("door", [door for door in DOORS if door != "HTTP API"])
def test_tokens_of_the_other_use_are_refused(
    doors: dict[str, Door], tokens: dict[str, str], door: str
) -> None:
    other = "access_token" if door == "REST API" else "id_token"
    assert doors[door](tokens[other]) in (400, 401)


def test_tokens_of_another_pool_are_refused(moved: Any, doors: dict[str, Door]) -> None:
    other = make_pool(moved, CLIENT)
    place = f"other-{other.id.partition('_')[2].lower()}"
    other.admin.create_user_pool_domain(UserPoolId=other.id, Domain=place)
    tokens = tokens_by_code(other, f"/_cognito/{place}")
    own = other.anyone.get_user(AccessToken=tokens["access_token"])
    assert own["Username"] == claims_of(tokens["access_token"])["username"]
    # At GetUser a token says itself for which pool it is, and opens that one only.
    elsewhere = [door for door in DOORS if door != "GetUser"]
    assert {doors[door](fit_for(door, tokens)) for door in elsewhere} == {401}
    other.admin.delete_user_pool_domain(UserPoolId=other.id, Domain=place)
    other.admin.delete_user_pool(UserPoolId=other.id)
    assert {doors[door](fit_for(door, tokens)) for door in DOORS} <= {400, 401}


def test_tokens_of_another_client_are_refused_where_the_client_counts(
    home: Pool, doors: dict[str, Door]
) -> None:
    other = home.admin.create_user_pool_client(
        UserPoolId=home.id, ClientName="other", ExplicitAuthFlows=CLIENT["ExplicitAuthFlows"]
    )["UserPoolClient"]["ClientId"]
    there = Pool(home.cloud, home.admin, home.anyone, home.id, other)
    foreign = there.tokens(home.user())
    assert doors["HTTP API"](foreign["AccessToken"]) == 401
    assert doors["HTTP API"](foreign["IdToken"]) == 401
    assert doors["userInfo"](foreign["AccessToken"]) == 401, "it has not the scope openid"
    assert doors["REST API with scopes"](foreign["AccessToken"]) == 401


@pytest.mark.parametrize("door", DOORS)
def test_expired_tokens_are_refused(
    moved: Any, home: Pool, domain: str, doors: dict[str, Door], door: str
) -> None:
    token = fit_for(door, tokens_by_code(home, domain))
    assert doors[door](token) == 200
    with moved.later(3_601):
        assert doors[door](token) == (400 if door == "GetUser" else 401)


def test_an_http_api_tells_that_a_token_of_a_pool_has_expired(
    moved: Any, home: Pool, tokens: dict[str, str], forger: Forger
) -> None:
    """By itself: outside, where the pool's issuer is AWS's, nobody is asked."""
    address = http_api(moved, home)

    def challenge(token: str) -> str:
        request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=20)
        with refused.value as answer:
            return str(answer.headers["www-authenticate"])

    token = tokens["access_token"]
    with moved.later(3_601):
        assert 'error_description="the token has expired"' in challenge(token)
    forged = forger.forge("another subject", token)
    assert 'error_description="the token\'s signature is not valid"' in challenge(forged)


def test_an_expired_token_is_told_so(moved: Any, home: Pool) -> None:
    tokens = home.tokens(home.user())
    refresh = {
        "ClientId": home.client,
        "AuthFlow": "REFRESH_TOKEN_AUTH",
        "AuthParameters": {"REFRESH_TOKEN": tokens["RefreshToken"]},
    }
    with moved.later(3_601):
        assert refusal(home.anyone.get_user, AccessToken=tokens["AccessToken"]) == (
            "NotAuthorizedException",
            "Access Token has expired",
        )
        fresh = home.anyone.initiate_auth(**refresh)["AuthenticationResult"]
        assert home.anyone.get_user(AccessToken=fresh["AccessToken"])
    with moved.later(31 * 86_400):
        code, message = refusal(home.anyone.initiate_auth, **refresh)
    # The record of a sign-in goes some time after its end; then nobody knows the token.
    assert code == "NotAuthorizedException"
    assert message in ("Refresh Token has expired", "Invalid Refresh Token")
