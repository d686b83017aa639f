"""The pages of a pool's domain in a real browser: by keyboard, in light and dark, large and small.

With `CUMULET_PICTURES=folder` every page is also put there as a picture, to be looked at.
"""

from __future__ import annotations

import http.server
import json
import os
import re
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.browser.test_auth_libraries import Quiet
from tests.services.cognito.client import PASSWORD, Pool, make_pool, name
from tests.services.cognito.test_mfa import code_of, respond, tie

HERE = Path(__file__).parent
AUDIT = (HERE / "audit.js").read_text().split("\n", 1)[1].rstrip().removesuffix(";")
SIZES: Any = {"phone": {"width": 360, "height": 740}, "desktop": {"width": 1280, "height": 800}}
LOOKS: Any = [("phone", "dark"), ("desktop", "light"), ("phone", "light"), ("desktop", "dark")]
PICTURES = os.environ.get("CUMULET_PICTURES")
FRESH = "Another-Horse-8"
expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the application's page is, to which the pages come back."""
    folder = tmp_path_factory.mktemp("application")
    shutil.copy(HERE / "libraries" / "app.html", folder / "app.html")
    handler = partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_address[1]}/app.html"
        server.shutdown()
        thread.join()


class Application:
    """An application whose users sign in on the pages of its pool."""

    def __init__(self, cloud: Any, site: str, **settings: Any) -> None:
        self.site = site
        client = {
            "ClientName": "Harbour Shop",
            "AllowedOAuthFlowsUserPoolClient": True,
            "AllowedOAuthFlows": ["code"],
            "AllowedOAuthScopes": ["openid", "email"],
            "CallbackURLs": [site],
        }
        self.pool: Pool = make_pool(cloud, client, AutoVerifiedAttributes=["email"], **settings)
        self.domain = name("pages")
        self.pool.admin.create_user_pool_domain(UserPoolId=self.pool.id, Domain=self.domain)

    def close(self) -> None:
        self.pool.admin.delete_user_pool_domain(UserPoolId=self.pool.id, Domain=self.domain)
        self.pool.admin.delete_user_pool(UserPoolId=self.pool.id)

    def leave(self, page: Page) -> None:
        """Press the button of the application that leads to the sign-in page."""
        page.goto(self.site)
        domain = f"{self.pool.cloud.endpoint}/_cognito/{self.domain}"
        given = json.dumps({"client": self.pool.client, "domain": domain})
        page.evaluate("given => { sessionStorage.given = given }", given)
        page.reload()
        page.click("#go")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")

    def arrived(self, page: Page) -> Any:
        """Who came back, as userInfo tells the application by the tokens of its code."""
        expect(page.locator("#found")).to_contain_text("sub")
        return json.loads(page.locator("#found").inner_text())


@pytest.fixture(scope="module")
def shop(cloud: Any, site: str) -> Iterator[Application]:
    made = Application(cloud, site)
    yield made
    made.close()


@pytest.fixture(scope="module")
def strict(cloud: Any, site: str) -> Iterator[Application]:
    """One whose users need a second factor: an authenticator, or an email."""
    made = Application(cloud, site)
    made.pool.admin.set_user_pool_mfa_config(
        UserPoolId=made.pool.id,
        MfaConfiguration="ON",
        SoftwareTokenMfaConfiguration={"Enabled": True},
        EmailMfaConfiguration={"Message": "Code {####}", "Subject": "Code"},
    )
    yield made
    made.close()


def look(page: Page, called: str, title: str) -> None:
    """The page is the one with this title, and is right in either light and size."""
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    wrong = []
    for size, scheme in LOOKS if PICTURES else LOOKS[:2]:
        page.set_viewport_size(SIZES[size])
        page.emulate_media(color_scheme=scheme)
        wrong += [f"{size}, {scheme}: {one}" for one in page.evaluate(AUDIT)]
        if PICTURES:
            path = Path(PICTURES) / f"{called}-{size}-{scheme}.png"
            page.screenshot(path=path, full_page=True)
    assert wrong == []


def type_in(page: Page, *texts: str) -> None:
    """By keyboard alone: each text into the field that has the focus, then Enter."""
    expect(page.locator("input:focus")).to_be_visible()
    for number, text in enumerate(texts):
        if number:
            page.keyboard.press("Tab")
        page.keyboard.type(text)
    page.keyboard.press("Enter")


def problem(page: Page) -> str:
    """What the page says is wrong; the field with the focus tells it too."""
    alert = page.get_by_role("alert")
    expect(alert).to_be_visible()
    expect(page.locator(":focus")).to_have_attribute("aria-describedby", re.compile("problem"))
    expect(page).to_have_title(re.compile("^Error: "))
    return alert.inner_text()


def test_signing_in_by_keyboard_and_back_with_a_code(page: Page, shop: Application) -> None:
    user = shop.pool.user(email=f"{name()}@example.com", email_verified="true")
    shop.leave(page)
    look(page, "sign-in", "Sign in")
    expect(page.locator(":focus")).to_have_attribute("name", "username")
    type_in(page, user, "Wrong-Horse-7")
    assert problem(page) == "Incorrect username or password."
    look(page, "sign-in-wrong", "Sign in")
    # The name is still there, so that the password has the focus.
    expect(page.locator(":focus")).to_have_attribute("name", "password")
    type_in(page, PASSWORD)
    assert shop.arrived(page)["username"] == user
    # Who signed in a moment ago is not asked again.
    page.click("#go")
    page.wait_for_url("**/app.html?code=*")
    assert shop.arrived(page)["username"] == user


def test_the_focus_goes_in_the_order_of_reading(page: Page, shop: Application) -> None:
    shop.leave(page)
    order = []
    for _ in range(5):
        order.append(page.evaluate("document.activeElement.name || document.activeElement.text"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert outline == "3px", order[-1]
        page.keyboard.press("Tab")
    order = [one or "button" for one in order]
    wanted = ["username", "password", "button", "Forgot your password?", "Create an account"]
    assert order == wanted


def test_making_an_account_and_losing_its_password(page: Page, shop: Application) -> None:
    user, email = name(), f"{name()}@example.com"
    shop.leave(page)
    page.get_by_role("link", name="Create an account").press("Enter")
    look(page, "sign-up", "Create an account")
    type_in(page, user, email, "short")
    assert "not long enough" in problem(page)
    look(page, "sign-up-wrong", "Create an account")
    type_in(page, PASSWORD)
    look(page, "confirm", "Confirm your account")
    first = shop.pool.code(email)
    page.get_by_role("button", name="Send another code").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("another code is on its way")
    look(page, "confirm-again", "Confirm your account")
    second = shop.pool.code(email)
    if first != second:
        type_in(page, first)
        assert "Invalid verification code" in problem(page)
        look(page, "confirm-wrong", "Confirm your account")
    type_in(page, second)
    expect(page.get_by_role("status")).to_have_text("Your account is confirmed.")
    look(page, "confirmed", "Sign in")
    page.get_by_role("link", name="Forgot your password?").press("Enter")
    look(page, "forgot", "Forgot your password?")
    # The name is known already.
    expect(page.locator(":focus")).to_have_value(user)
    page.keyboard.press("Enter")
    look(page, "forgot-code", "Choose a new password")
    type_in(page, shop.pool.code(email), FRESH)
    expect(page.get_by_role("status")).to_have_text("Your password is changed.")
    page.locator("#password").focus()
    type_in(page, FRESH)
    assert shop.arrived(page)["email"] == email


def test_a_temporary_password_is_replaced(page: Page, shop: Application) -> None:
    user = name()
    shop.pool.admin.admin_create_user(
        UserPoolId=shop.pool.id,
        Username=user,
        TemporaryPassword=PASSWORD,
        MessageAction="SUPPRESS",
    )
    shop.leave(page)
    type_in(page, user, PASSWORD)
    look(page, "new-password", "Choose a new password")
    type_in(page, "short")
    assert "not long enough" in problem(page)
    look(page, "new-password-wrong", "Choose a new password")
    type_in(page, FRESH)
    assert shop.arrived(page)["username"] == user


def test_an_authenticator_is_set_up_and_asked_for(page: Page, strict: Application) -> None:
    user = strict.pool.user()
    strict.leave(page)
    type_in(page, user, PASSWORD)
    look(page, "set-up", "Set up your authenticator")
    expect(page.get_by_role("img", name="QR code with the key")).to_be_visible()
    secret = page.locator(".key code").inner_text().replace(" ", "")
    type_in(page, "000000")
    assert "not the code" in problem(page)
    assert page.locator(".key code").inner_text().replace(" ", "") == secret
    look(page, "set-up-wrong", "Set up your authenticator")
    type_in(page, code_of(secret))
    assert strict.arrived(page)["username"] == user
    page.context.clear_cookies()
    strict.leave(page)
    type_in(page, user, PASSWORD)
    look(page, "code", "Confirm that it is you")
    type_in(page, "000000")
    assert "not right" in problem(page)
    look(page, "code-wrong", "Confirm that it is you")
    type_in(page, code_of(secret, 1))
    assert strict.arrived(page)["username"] == user


def test_one_of_several_second_factors_is_chosen(page: Page, strict: Application) -> None:
    email = f"{name()}@example.com"
    user = strict.pool.user(email=email, email_verified="true")
    strict.leave(page)
    type_in(page, user, PASSWORD)
    look(page, "code-by-mail", "Confirm that it is you")
    expect(page.locator(".lead")).to_contain_text("@e***")
    type_in(page, strict.pool.code(email))
    assert strict.arrived(page)["username"] == user
    pool = strict.pool
    asked = pool.sign_in(user)
    done = respond(pool, asked, user, EMAIL_OTP_CODE=pool.code(email))
    token = done["AuthenticationResult"]["AccessToken"]
    secret = tie(pool, token)
    both = {"Enabled": True, "PreferredMfa": False}
    pool.anyone.set_user_mfa_preference(
        AccessToken=token, SoftwareTokenMfaSettings=both, EmailMfaSettings=both
    )
    page.context.clear_cookies()
    strict.leave(page)
    type_in(page, user, PASSWORD)
    look(page, "choose", "Confirm that it is you")
    names = [one.inner_text() for one in page.locator(".choice label").all()]
    at = names.index("An authenticator app")
    assert {"An authenticator app"} < set(names)
    for _ in range(at):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".lead")).to_contain_text("authenticator")
    type_in(page, code_of(secret))
    assert strict.arrived(page)["username"] == user


def test_what_cannot_be_shown_says_why(page: Page, shop: Application, faults: Any) -> None:
    base = f"{shop.pool.cloud.endpoint}/_cognito/{shop.domain}"
    page.goto(f"{base}/oauth2/authorize?client_id=nobody")
    look(page, "not-known", "This page cannot be shown")
    faults.seen = [one for one in faults.seen if "status of 400" not in one]
