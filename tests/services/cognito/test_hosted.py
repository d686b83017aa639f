"""A pool's domain: sign-in pages, and OAuth 2.0 with code and PKCE, implicit, and secrets.

https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from tests.services.cognito.client import PASSWORD, Pool, claims_of, make_pool, name

BACK = "http://localhost:3000/back"
VERIFIER = "v" * 64
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)


class Answer:
    def __init__(self, raw: http.client.HTTPResponse) -> None:
        self.status = raw.status
        self.headers = {key.lower(): value for key, value in raw.getheaders()}
        self.cookies = [v for k, v in raw.getheaders() if k.lower() == "set-cookie"]
        self.text = raw.read().decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def to(self) -> str:
        return self.headers["location"]


class Browser:
    """Keeps cookies, and sends forms as they are on the page."""

    def __init__(self, endpoint: str, base: str) -> None:
        self.host = urlsplit(endpoint).netloc
        self.base = base
        self.jar: dict[str, str] = {}

    def ask(
        self, method: str, path: str, form: dict[str, str] | None = None, **headers: str
    ) -> Answer:
        line = http.client.HTTPConnection(self.host, timeout=20)
        given = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.jar.items()), **headers}
        body = None
        if form is not None:
            given["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(form)
        line.request(method, path, body, given)
        answer = Answer(line.getresponse())
        line.close()
        for cookie in answer.cookies:
            key, _, value = cookie.partition(";")[0].partition("=")
            self.jar[key] = value
        return answer

    def get(self, path: str, **query: str) -> Answer:
        return self.ask("GET", f"{self.base}{path}?{urlencode(query)}")

    def submit(self, page: Answer, **fields: str) -> Answer:
        action = re.search(r'action="([^"]+)"', page.text)
        assert action is not None, page.text
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        form = {key: unescape(value) for key, value in hidden.items()}
        return self.ask("POST", unescape(action[1]), {**form, **fields})

    def token(self, **form: str) -> Answer:
        return self.ask("POST", f"{self.base}/oauth2/token", form)


@pytest.fixture(scope="module")
def hosted(cloud: Any) -> Iterator[tuple[Pool, str]]:
    pool = make_pool(
        cloud,
        {
            "AllowedOAuthFlowsUserPoolClient": True,
            "AllowedOAuthFlows": ["code", "implicit"],
            "AllowedOAuthScopes": ["openid", "email", "aws.cognito.signin.user.admin"],
            "CallbackURLs": [BACK],
            "LogoutURLs": ["http://localhost:3000/bye"],
        },
        AutoVerifiedAttributes=["email"],
    )
    domain = name("hosted")
    pool.admin.create_user_pool_domain(UserPoolId=pool.id, Domain=domain)
    yield pool, f"/_cognito/{domain}"
    pool.admin.delete_user_pool_domain(UserPoolId=pool.id, Domain=domain)
    pool.admin.delete_user_pool(UserPoolId=pool.id)


def wish(pool: Pool, **more: str) -> dict[str, str]:
    return {
        "client_id": pool.client,
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "openid email aws.cognito.signin.user.admin",
        "state": "s&t",
        "nonce": "once",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **more,
    }


def sign_in(browser: Browser, pool: Pool, user: str, **more: str) -> Answer:
    """The redirect back to the client, after the form was sent."""
    page = browser.get("/oauth2/authorize", **wish(pool, **more))
    assert page.status == 303
    page = browser.ask("GET", page.to)
    assert page.status == 200
    return browser.submit(page, username=user, password=PASSWORD)


def code_in(answer: Answer) -> str:
    assert answer.to.startswith(BACK), answer.to
    return parse_qs(urlsplit(answer.to).query)["code"][0]


def test_a_code_with_pkce_is_exchanged_for_tokens_once(hosted: tuple[Pool, str]) -> None:
    pool, base = hosted
    user = pool.user(email="o@example.com", email_verified="true")
    browser = Browser(pool.cloud.endpoint, base)
    back = sign_in(browser, pool, user)
    assert parse_qs(urlsplit(back.to).query)["state"] == ["s&t"]
    asked = {
        "grant_type": "authorization_code",
        "client_id": pool.client,
        "redirect_uri": BACK,
        "code": code_in(back),
    }
    tokens = browser.token(code_verifier=VERIFIER, **asked).json
    identity, access = claims_of(tokens["id_token"]), claims_of(tokens["access_token"])
    assert (identity["nonce"], identity["email"]) == ("once", "o@example.com")
    assert access["version"] == 2
    digest = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert identity["at_hash"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    stolen = browser.token(code_verifier=VERIFIER, **asked)
    assert (stolen.status, stolen.json) == (400, {"error": "invalid_grant"})
    info = browser.ask(
        "GET", f"{base}/oauth2/userInfo", Authorization=f"Bearer {tokens['access_token']}"
    )
    assert info.json == {
        "sub": identity["sub"],
        "email": "o@example.com",
        "email_verified": "true",
        "username": user,
    }
    fresh = browser.token(
        grant_type="refresh_token", client_id=pool.client, refresh_token=tokens["refresh_token"]
    ).json
    assert {"access_token", "id_token"} <= set(fresh)
    revoke = {"client_id": pool.client, "token": tokens["refresh_token"]}
    assert browser.ask("POST", f"{base}/oauth2/revoke", revoke).status == 200
    gone = browser.token(
        grant_type="refresh_token", client_id=pool.client, refresh_token=tokens["refresh_token"]
    )
    assert gone.json == {"error": "invalid_grant"}
    info = browser.ask(
        "GET", f"{base}/oauth2/userInfo", Authorization=f"Bearer {fresh['access_token']}"
    )
    assert info.status == 401


def test_a_code_without_its_verifier_is_worth_nothing(hosted: tuple[Pool, str]) -> None:
    pool, base = hosted
    browser = Browser(pool.cloud.endpoint, base)
    asked = {"grant_type": "authorization_code", "client_id": pool.client, "redirect_uri": BACK}
    for wrong in ({}, {"code_verifier": "w" * 64}):
        code = code_in(sign_in(browser, pool, pool.user(), prompt="login"))
        assert browser.token(code=code, **asked, **wrong).json == {"error": "invalid_grant"}


def test_who_is_signed_in_is_not_asked_again_until_signing_out(hosted: tuple[Pool, str]) -> None:
    pool, base = hosted
    browser = Browser(pool.cloud.endpoint, base)
    sign_in(browser, pool, pool.user())
    assert code_in(browser.get("/oauth2/authorize", **wish(pool)))
    bye = browser.get("/logout", client_id=pool.client, logout_uri="http://localhost:3000/bye")
    assert bye.to == "http://localhost:3000/bye"
    assert "/login" in browser.get("/oauth2/authorize", **wish(pool)).to
    silent = browser.get("/oauth2/authorize", **wish(pool, prompt="none"))
    assert "error=login_required" in silent.to
    assert browser.get("/logout", client_id=pool.client, logout_uri="http://evil").status == 400


def test_implicit_gives_tokens_in_the_fragment(hosted: tuple[Pool, str]) -> None:
    pool, base = hosted
    back = sign_in(Browser(pool.cloud.endpoint, base), pool, pool.user(), response_type="token")
    parts = dict(parse_qsl(urlsplit(back.to).fragment))
    assert {"id_token", "access_token", "expires_in", "token_type", "state"} == set(parts)


def test_a_form_of_another_site_is_not_taken(hosted: tuple[Pool, str]) -> None:
    pool, base = hosted
    browser = Browser(pool.cloud.endpoint, base)
    page = browser.get("/login", **wish(pool))
    browser.jar.clear()
    assert "too old" in browser.submit(page, username=pool.user(), password=PASSWORD).text
    page = browser.get("/login", **wish(pool))
    forged = browser.submit(page, _csrf="forged", username=pool.user(), password=PASSWORD)
    assert "too old" in forged.text


def test_pages_are_safe_and_accessible(hosted: tuple[Pool, str]) -> None:
    pool, base = hosted
    browser = Browser(pool.cloud.endpoint, base)
    page = browser.get("/login", **wish(pool))
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-frame-options"] == "DENY"
    assert all("HttpOnly" in one and "SameSite=Lax" in one for one in page.cookies)
    inputs = re.findall(r'<input id="([^"]+)"', page.text)
    assert inputs == re.findall(r'<label for="([^"]+)"', page.text) == ["username", "password"]
    assert page.text.count("<h1>") == 1
    wrong = browser.submit(page, username="<b>nobody", password="x")
    assert 'role="alert"' in wrong.text
    assert "<b>nobody" not in wrong.text
    assert "Incorrect username or password." in wrong.text


def test_wrong_wishes_are_refused(hosted: tuple[Pool, str]) -> None:
    pool, base = hosted
    browser = Browser(pool.cloud.endpoint, base)

    def asked(**more: str) -> Answer:
        return browser.get("/oauth2/authorize", **wish(pool, **more))

    assert asked(client_id="unknown").status == 400
    elsewhere = asked(redirect_uri="http://localhost:3000/evil")
    assert elsewhere.status == 400
    assert "location" not in elsewhere.headers
    assert "error=unsupported_response_type" in asked(response_type="magic").to
    assert "error=invalid_scope" in asked(scope="openid profile").to
    assert "error=invalid_request" in asked(code_challenge_method="plain").to


def test_an_account_is_made_on_the_pages(hosted: tuple[Pool, str]) -> None:
    pool, base = hosted
    browser = Browser(pool.cloud.endpoint, base)
    user, email = name(), f"{name()}@example.com"
    page = browser.get("/signup", **wish(pool))
    assert (
        "Password not long enough"
        in browser.submit(page, username=user, email=email, password="short").text
    )
    page = browser.get("/signup", **wish(pool))
    moved = browser.submit(page, username=user, email=email, password=PASSWORD)
    page = browser.ask("GET", moved.to)
    page = browser.submit(page, code=pool.code(email))
    assert "Your account is confirmed." in page.text
    assert code_in(browser.submit(page, username=user, password=PASSWORD))
    page = browser.get("/forgotPassword", **wish(pool))
    page = browser.ask("GET", browser.submit(page, username=user).to)
    page = browser.submit(page, code=pool.code(email), password="Another-Horse-8")
    assert "Your password is changed." in page.text
    assert "AuthenticationResult" in pool.srp(user, "Another-Horse-8")


def test_a_temporary_password_is_changed_on_the_pages(hosted: tuple[Pool, str]) -> None:
    pool, base = hosted
    browser, user = Browser(pool.cloud.endpoint, base), name()
    pool.admin.admin_create_user(
        UserPoolId=pool.id, Username=user, TemporaryPassword=PASSWORD, MessageAction="SUPPRESS"
    )
    page = sign_in(browser, pool, user)
    assert "Choose a new password" in page.text
    assert code_in(browser.submit(page, answer="Another-Horse-8"))


def test_machines_get_tokens_for_their_secret(hosted: tuple[Pool, str]) -> None:
    pool, base = hosted
    browser = Browser(pool.cloud.endpoint, base)
    pool.admin.create_resource_server(
        UserPoolId=pool.id,
        Identifier="api",
        Name="api",
        Scopes=[{"ScopeName": "read", "ScopeDescription": "Read"}],
    )
    machine = pool.admin.create_user_pool_client(
        UserPoolId=pool.id,
        ClientName="machine",
        GenerateSecret=True,
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["client_credentials"],
        AllowedOAuthScopes=["api/read"],
    )["UserPoolClient"]
    id, secret = machine["ClientId"], machine["ClientSecret"]
    basic = base64.b64encode(f"{id}:{secret}".encode()).decode()
    answer = browser.ask(
        "POST",
        f"{base}/oauth2/token",
        {"grant_type": "client_credentials", "scope": "api/read"},
        Authorization=f"Basic {basic}",
    )
    claims = claims_of(answer.json["access_token"])
    assert (claims["sub"], claims["client_id"], claims["scope"]) == (id, id, "api/read")
    asked = {"grant_type": "client_credentials", "client_id": id}
    assert browser.token(client_secret="guess", **asked).json == {"error": "invalid_client"}
    assert browser.token(client_secret=secret, scope="api/write", **asked).json == {
        "error": "invalid_scope"
    }
    assert browser.token(grant_type="password", client_id=pool.client).json == {
        "error": "unsupported_grant_type"
    }


def test_a_link_confirms_an_account(cloud: Any) -> None:
    pool = make_pool(
        cloud,
        AutoVerifiedAttributes=["email"],
        VerificationMessageTemplate={
            "DefaultEmailOption": "CONFIRM_WITH_LINK",
            "EmailMessageByLink": "Go {##here##}.",
        },
    )
    domain = name("link")
    pool.admin.create_user_pool_domain(UserPoolId=pool.id, Domain=domain)
    pool.anyone.sign_up(
        ClientId=pool.client,
        Username="ann",
        Password=PASSWORD,
        UserAttributes=[{"Name": "email", "Value": "link@example.com"}],
    )
    body = pool.mail("link@example.com")[0]["body"]
    found = re.fullmatch(r'Go <a href="([^"]+)">here</a>\.', body)
    assert found is not None, body
    parts = urlsplit(unescape(found[1]))
    browser = Browser(cloud.endpoint, "")
    assert "confirmed" in browser.ask("GET", f"{parts.path}?{parts.query}").text
    assert "AuthenticationResult" in pool.sign_in("ann")
    assert browser.ask("GET", f"{parts.path}?{parts.query}").status == 400
    pool.admin.delete_user_pool_domain(UserPoolId=pool.id, Domain=domain)
    pool.admin.delete_user_pool(UserPoolId=pool.id)
