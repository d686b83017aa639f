"""Whose key it is, for how long, and what the service principals of the cloud are given."""

from __future__ import annotations

import asyncio
import json

import pytest

from cumulet.core.errors import AccessDenied, ExpiredToken
from cumulet.core.identity import service_principal
from cumulet.kit.ports import Credentials, Policies, WebIdentities
from cumulet.services.iam import ensure_account, load_accounts, new_account_id
from cumulet.services.iam.errors import InvalidIdentityTokenException
from cumulet.services.iam.model import account_in_key_id, new_key_id
from cumulet.services.iam.workers import record_uses

ACCOUNT = "111122223333"


def trust(principal, *actions, **rest):
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": principal,
                "Action": list(actions) or "sts:AssumeRole",
                **rest,
            },
        }
    )


def test_an_account_and_its_key_are_made_once(new_platform) -> None:
    async def check() -> None:
        here = await new_platform()
        parts = (here.store, here.sealer, here.clock)
        first = await ensure_account(*parts, ACCOUNT)
        assert first is not None
        assert await ensure_account(*parts, ACCOUNT) is None
        known = await ensure_account(*parts, ACCOUNT, key_id="test", secret="test")
        assert known is not None
        assert await ensure_account(*parts, ACCOUNT, key_id="test", secret="test") is None
        # Another secret for a known key is taken over.
        assert await ensure_account(*parts, ACCOUNT, key_id="test", secret="new") is not None
        found = await here.dispatcher.need(Credentials).find("test", "")
        assert found is not None
        assert (found.secret, found.principal.is_root) == ("new", True)
        with pytest.raises(ValueError, match="somebody else"):
            await ensure_account(*parts, "444455556666", key_id="test", secret="x")
        with pytest.raises(ValueError, match="twelve digits"):
            await ensure_account(*parts, "12")
        assert await load_accounts(here.store) == [ACCOUNT]

    asyncio.run(check())


def test_key_ids_tell_their_account(new_platform) -> None:
    async def check() -> None:
        clock = (await new_platform()).clock
        for account in (ACCOUNT, "000000000000", "999999999999", new_account_id(clock)):
            key_id = new_key_id(clock, "ASIA", account)
            assert len(key_id) == 20
            assert account_in_key_id(key_id) == account
        assert account_in_key_id("ASIA") is None
        assert account_in_key_id("ASIA!!") is None

    asyncio.run(check())


def test_unknown_keys_are_nobodys(new_platform) -> None:
    async def check() -> None:
        here = await new_platform()
        await here.root()
        find = here.dispatcher.need(Credentials).find
        assert await find("AKIAUNKNOWN", "") is None
        assert await find(f"root{ACCOUNT}", "a token") is None
        assert await find("", "") is None

    asyncio.run(check())


def test_sessions_expire(new_platform) -> None:
    async def check() -> None:
        here = await new_platform()
        root = await here.root()
        answer = await root.call("sts", "GetSessionToken", DurationSeconds=900)
        await here.session(answer)
        await here.clock.advance(899)
        await here.session(answer)
        await here.clock.advance(1)
        with pytest.raises(ExpiredToken) as caught:
            await here.session(answer)
        assert str(caught.value) == "The security token included in the request is expired"

    asyncio.run(check())


def test_services_assume_the_roles_of_their_account_that_trust_them(new_platform) -> None:
    async def check() -> None:
        here = await new_platform()
        root = await here.root()
        role = (
            await root.call(
                "iam",
                "CreateRole",
                RoleName="worker",
                AssumeRolePolicyDocument=trust({"Service": "lambda.amazonaws.com"}),
            )
        )["Role"]
        request = {"RoleArn": role["Arn"], "RoleSessionName": "fn"}
        trusted = root.acting_as(service_principal("lambda.amazonaws.com", ACCOUNT))
        session = await here.session(await trusted.call("sts", "AssumeRole", **request))
        assert session.caller.policy_arn == role["Arn"]
        assert session.caller.kind == "role"
        for name, account in (
            ("s3.amazonaws.com", ACCOUNT),
            ("lambda.amazonaws.com", "444455556666"),
        ):
            other = root.acting_as(service_principal(name, account))
            with pytest.raises(AccessDenied):
                await other.call("sts", "AssumeRole", **request)

    asyncio.run(check())


def test_policies_are_read_again_after_a_change(new_platform) -> None:
    async def check() -> None:
        here = await new_platform()
        root = await here.root()
        await root.call("iam", "CreateUser", UserName="bob")
        key = (await root.call("iam", "CreateAccessKey", UserName="bob"))["AccessKey"]
        bob = (await here.caller(key["AccessKeyId"])).caller
        port = here.dispatcher.need(Policies)
        before = await port.of(bob)
        assert before.identity == ()
        assert await port.of(bob) is before
        document = trust("*").replace('"Principal": "*", ', "").replace("sts:", "s3:")
        document = document.replace('"Action"', '"Resource": "*", "Action"')
        await root.call(
            "iam", "PutUserPolicy", UserName="bob", PolicyName="p", PolicyDocument=document
        )
        assert [policy.name for policy in (await port.of(bob)).identity] == ["p"]

    asyncio.run(check())


def test_uses_of_keys_are_written_down(new_platform) -> None:
    async def check() -> None:
        here = await new_platform()
        root = await here.root()
        used_at = here.clock.now()
        assert await record_uses(here.dispatcher) > 0
        await here.clock.advance(100)
        told = await root.call("iam", "GetAccessKeyLastUsed", AccessKeyId=f"root{ACCOUNT}")
        assert told["AccessKeyLastUsed"]["LastUsedDate"] == used_at

    asyncio.run(check())


class Issuers:
    """Knows one token."""

    def __init__(self, claims: dict[str, object]) -> None:
        self.claims = claims

    async def verify(self, token: str) -> dict[str, object] | None:
        return self.claims if token == "good" else None


CLAIMS: dict[str, object] = {
    "iss": "https://issuer.example/pool",
    "sub": "alice",
    "aud": "app",
    "https://aws.amazon.com/tags": {
        "principal_tags": {"Team": ["blue"]},
        "transitive_tag_keys": ["Team"],
    },
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, None),
        ({"token": "nope"}, InvalidIdentityTokenException),
        ({"claims": {"aud": "other"}}, InvalidIdentityTokenException),
        ({"claims": {"iss": "https://unknown.example"}}, InvalidIdentityTokenException),
        ({"claims": {"sub": "eve"}}, AccessDenied),
    ],
)
def test_web_identities(new_platform, change, expected) -> None:
    async def check() -> None:
        here = await new_platform()
        root = await here.root()
        here.dispatcher.provide(WebIdentities, Issuers({**CLAIMS, **change.get("claims", {})}))
        provider = (
            await root.call(
                "iam",
                "CreateOpenIDConnectProvider",
                Url="https://issuer.example/pool",
                ClientIDList=["app"],
            )
        )["OpenIDConnectProviderArn"]
        role = await root.call(
            "iam",
            "CreateRole",
            RoleName="guest",
            AssumeRolePolicyDocument=trust(
                {"Federated": provider},
                *("sts:AssumeRoleWithWebIdentity", "sts:TagSession"),
                Condition={
                    "StringEquals": {
                        "issuer.example/pool:aud": "app",
                        "issuer.example/pool:sub": "alice",
                    }
                },
            ),
        )
        request = {
            "RoleArn": role["Role"]["Arn"],
            "RoleSessionName": "me",
            "WebIdentityToken": change.get("token", "good"),
        }
        if expected is not None:
            with pytest.raises(expected):
                await root.call("sts", "AssumeRoleWithWebIdentity", **request)
            return
        answer = await root.call("sts", "AssumeRoleWithWebIdentity", **request)
        assert answer["SubjectFromWebIdentityToken"] == "alice"
        assert (answer["Provider"], answer["Audience"]) == (provider, "app")
        session = await here.session(answer)
        assert session.caller.tags == {"Team": "blue"}
        assert session.caller.arn.endswith(":assumed-role/guest/me")

    asyncio.run(check())
