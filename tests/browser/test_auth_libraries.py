"""The libraries by which web applications sign in, unmodified, in a real browser.

They are bundled as an application would bundle them, and know only the cloud's address.
"""

from __future__ import annotations

import http.server
import os
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from tests.services.cognito.client import PASSWORD, Pool, claims_of, make_pool, name
from tests.services.cognito.test_mfa import code_of

PACKAGES = Path(__file__).parents[2] / ".cache" / "clients" / "node" / "node_modules"
SCRIPTS = Path(__file__).parent / "libraries"
SECONDS_MAX = 120


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site whose pages `/<library>.html` load a library; skips when none is installed."""
    program = PACKAGES / ".bin" / "esbuild"
    for needed in (program, PACKAGES / "amazon-cognito-identity-js", PACKAGES / "aws-amplify"):
        if not needed.exists():
            pytest.skip(f"{needed.name} is not installed here; `make clients` installs it")
    folder = tmp_path_factory.mktemp("site")
    for script in SCRIPTS.glob("*.js"):
        words = [program, script, "--bundle", "--define:global=window", "--log-level=error"]
        subprocess.run(
            [*words, f"--outfile={folder / script.name}"],
            env={**os.environ, "NODE_PATH": str(PACKAGES)},
            check=True,
            timeout=SECONDS_MAX,
        )
        page = f'<!doctype html><meta charset="utf-8"><title>{script.stem}</title>'
        page += f'<link rel="icon" href="data:,"><script src="{script.name}"></script>'
        (folder / f"{script.stem}.html").write_text(page)
    handler = partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_address[1]}"
        server.shutdown()
        thread.join()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Files, without a log."""

    def log_message(self, *words: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def strict(cloud: Any) -> Iterator[Pool]:
    """A pool with authenticators, whose client allows what browsers should use."""
    made = make_pool(cloud, AutoVerifiedAttributes=["email"])
    made.admin.set_user_pool_mfa_config(
        UserPoolId=made.id,
        MfaConfiguration="OPTIONAL",
        SoftwareTokenMfaConfiguration={"Enabled": True},
    )
    yield made
    made.admin.delete_user_pool(UserPoolId=made.id)


class Library:
    """A library in a page: each attribute calls the function of that name, and gives its answer."""

    def __init__(self, page: Page, site: str, kind: str, pool: Pool) -> None:
        self._page = page
        page.goto(f"{site}/{kind}.html")
        self.configure(
            {"UserPoolId": pool.id, "ClientId": pool.client, "endpoint": pool.cloud.endpoint}
        )

    def __getattr__(self, wanted: str) -> Any:
        def call(*words: Any) -> Any:
            return self._page.evaluate(
                "([name, words]) => window.library[name](...words)", [wanted, list(words)]
            )

        return call


def refusals_are_no_faults(faults: Any) -> None:
    """The browser itself notes each answer of 400, which a refusal is."""
    faults.seen = [one for one in faults.seen if "status of 400" not in one]


def test_amazon_cognito_identity_js(page: Page, site: str, strict: Pool, faults: Any) -> None:
    user, email = name(), f"{name()}@example.com"
    library = Library(page, site, "cognito_identity", strict)
    assert library.signUp(user, PASSWORD, email) == {"confirmed": False}
    assert library.confirm(user, "000000x") == {"refused": "CodeMismatchException"}
    assert library.confirm(user, strict.code(email)) == {"value": "SUCCESS"}
    for flow in ("USER_SRP_AUTH", "USER_PASSWORD_AUTH"):
        wrong = library.signIn(user, "Wrong-Horse-7", flow)
        assert wrong == {
            "refused": "NotAuthorizedException",
            "said": "Incorrect username or password.",
        }
        found = library.signIn(user, PASSWORD, flow)
        assert claims_of(found["idToken"])["cognito:username"] == user
    assert library.refresh() == {"valid": True}
    assert library.attributes()["email"] == email
    assert library.changePassword(PASSWORD, "Another-Horse-8") == {"value": "SUCCESS"}
    secret = library.associate()
    assert library.verify(code_of(secret)) == {"value": "SUCCESS"}
    assert library.signIn(user, "Another-Horse-8", "USER_SRP_AUTH") == {"challenge": "totp"}
    assert library.totp("000000")["refused"] == "CodeMismatchException"
    assert library.totp(code_of(secret, 1)) == {"signedIn": True}
    assert library.signOutEverywhere() == {"value": "SUCCESS"}
    invited = name()
    strict.admin.admin_create_user(
        UserPoolId=strict.id, Username=invited, TemporaryPassword=PASSWORD, MessageAction="SUPPRESS"
    )
    assert library.signIn(invited, PASSWORD, "USER_SRP_AUTH") == {"challenge": "new password"}
    assert library.newPassword("Another-Horse-8") == {"signedIn": True}
    refusals_are_no_faults(faults)


def test_aws_amplify(page: Page, site: str, strict: Pool, faults: Any) -> None:
    user, email = name(), f"{name()}@example.com"
    library = Library(page, site, "amplify", strict)
    begun = library.signUp(user, PASSWORD, email)
    assert begun["nextStep"]["signUpStep"] == "CONFIRM_SIGN_UP"
    assert begun["nextStep"]["codeDeliveryDetails"]["deliveryMedium"] == "EMAIL"
    assert library.confirm(user, "nothing") == {"refused": "CodeMismatchException"}
    assert library.confirm(user, strict.code(email))["isSignUpComplete"] is True
    assert library.current() == {"refused": "UserUnAuthenticatedException"}
    for flow in ("USER_SRP_AUTH", "USER_PASSWORD_AUTH"):
        assert library.signIn(user, "Wrong-Horse-7", flow) == {"refused": "NotAuthorizedException"}
        assert library.signIn(user, PASSWORD, flow)["isSignedIn"] is True
        assert library.session() == {"id": user}
        assert library.current()["username"] == user
        assert library.attributes()["email"] == email
        library.signOut(False)
    assert library.session() == {"id": None}
    library.forgot(user)
    assert library.reset(user, strict.code(email), "Another-Horse-8") == {}
    assert library.signIn(user, "Another-Horse-8", "USER_SRP_AUTH")["isSignedIn"] is True
    secret = library.setUpTotp()["secret"]
    assert library.verifyTotp(code_of(secret)) == {}
    library.signOut(True)
    step = library.signIn(user, "Another-Horse-8", "USER_SRP_AUTH")["nextStep"]["signInStep"]
    assert step == "CONFIRM_SIGN_IN_WITH_TOTP_CODE"
    assert library.answer("000000") == {"refused": "CodeMismatchException"}
    assert library.answer(code_of(secret, 1))["isSignedIn"] is True
    library.signOut(True)
    invited = name()
    strict.admin.admin_create_user(
        UserPoolId=strict.id, Username=invited, TemporaryPassword=PASSWORD, MessageAction="SUPPRESS"
    )
    step = library.signIn(invited, PASSWORD, "USER_SRP_AUTH")["nextStep"]["signInStep"]
    assert step == "CONFIRM_SIGN_IN_WITH_NEW_PASSWORD_REQUIRED"
    assert library.answer("Another-Horse-8")["isSignedIn"] is True
    refusals_are_no_faults(faults)
