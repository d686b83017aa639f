"""Signing in with pycognito, and with the AWS SDK for JavaScript."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.services.cognito.client import PASSWORD, claims_of, make_pool, name

SCRIPTS = Path(__file__).parent


@pytest.fixture
def strict(cloud: Any) -> Any:
    made = make_pool(cloud, {"GenerateSecret": True}, AutoVerifiedAttributes=["email"])
    yield made
    made.admin.delete_user_pool(UserPoolId=made.id)


def settings(pool: Any, **more: str) -> dict[str, str]:
    return {"POOL": pool.id, "CLIENT": pool.client, "SECRET": pool.secret, **more}


def test_pycognito_signs_up_and_in(run: Any, program: Any, strict: Any) -> None:
    python, user, email = program("pycognito"), name(), f"{name()}@example.com"
    # The pool's keys are given as pycognito wants them where AWS is not what answers.
    keys = strict.cloud.get(f"/{strict.id}/.well-known/jwks.json")[1].decode()
    given = settings(strict, NAME=user, EMAIL=email, PASSWORD=PASSWORD, COGNITO_JWKS=keys)
    run(python, SCRIPTS / "by_pycognito.py", "sign-up", **given)
    done = run(python, SCRIPTS / "by_pycognito.py", "go on", CODE=strict.code(email), **given)
    found = json.loads(done.stdout)
    assert found["wrong"] == "NotAuthorizedException"
    assert claims_of(found["id"])["cognito:username"] == user
    assert found["verified"]["token_use"] == "access"
    assert found["email"] == email
    assert found["renewed"] is True
    assert found["changed"] == "Another-Horse-8"
    assert found["after sign-out"] == "NotAuthorizedException"


def test_the_javascript_sdk_signs_in(run: Any, program: Any, strict: Any) -> None:
    node, library = program("node"), Path(program("JavaScript SDK for Cognito"))
    script = library.parent.parent.parent / "cognito.mjs"
    shutil.copy(SCRIPTS / "sdk.mjs", script)
    user = strict.user()
    done = run(node, script, **settings(strict, NAME=user, PASSWORD=PASSWORD))
    assert json.loads(done.stdout) == {
        "wrong": "NotAuthorizedException",
        "name": user,
        "listed": [user],
        "refreshed": True,
        "afterSignOut": "NotAuthorizedException",
    }
