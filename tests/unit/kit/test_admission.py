"""What is remembered of decisions, and what is asked anew."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.kit.stand import ACCOUNT, Stand, operation

from cumulet.core.context import Context
from cumulet.core.errors import AccessDenied
from cumulet.core.identity import Principal, service_principal
from cumulet.kit.admission import DECISIONS_REMEMBERED_MAX, owner_of
from cumulet.kit.policy import IdentityPolicies, parse_policy
from cumulet.kit.service import OwnedPolicies


def allowing(**more: Any) -> IdentityPolicies:
    statement = {"Effect": "Allow", "Action": "iam:*", "Resource": "*", **more}
    text = json.dumps({"Version": "2012-10-17", "Statement": statement})
    return IdentityPolicies(identity=(parse_policy("p", text),))


class Colour:
    """Condition keys that change from one request to the next, and how often they were asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.value = "red"

    async def keys(self, ctx: Context, request: Any) -> dict[str, str]:
        self.asked += 1
        return {"iam:Colour": self.value}


def echo(ctx: Context, request: Any) -> Any:
    return request


def test_a_condition_is_asked_for_every_request(tmp_path: Path) -> None:
    colour = Colour()
    one = Stand(tmp_path, operation("CreateUser", echo, conditions=colour.keys))
    one.held.policies = allowing(Condition={"StringEquals": {"iam:colour": "red"}})
    assert asyncio.run(one.run("CreateUser", {"UserName": "eve"}))
    colour.value = "blue"
    with pytest.raises(AccessDenied):
        asyncio.run(one.run("CreateUser", {"UserName": "eve"}))
    assert colour.asked == 2
    assert one.held.policies.decided == {}


def test_a_variable_is_filled_in_for_every_request(tmp_path: Path) -> None:
    colour = Colour()
    arn = "arn:aws:iam::123456789012:user/red"
    one = Stand(tmp_path, operation("CreateUser", echo, conditions=colour.keys, resource=arn))
    one.held.policies = allowing(Resource="arn:aws:iam::123456789012:user/${iam:Colour}")
    assert asyncio.run(one.run("CreateUser", {"UserName": "eve"}))
    colour.value = "blue"
    with pytest.raises(AccessDenied):
        asyncio.run(one.run("CreateUser", {"UserName": "eve"}))


def test_nothing_is_gathered_that_no_policy_looks_at(tmp_path: Path) -> None:
    colour = Colour()
    one = Stand(tmp_path, operation("CreateUser", echo, conditions=colour.keys))
    one.held.policies = allowing()
    for _ in range(2):
        assert asyncio.run(one.run("CreateUser", {"UserName": "eve"}))
    assert colour.asked == 0
    assert len(one.held.policies.decided) == 1


def test_other_policies_are_asked_anew(tmp_path: Path) -> None:
    one = Stand(tmp_path, operation("CreateUser", echo))
    one.held.policies = allowing()
    assert asyncio.run(one.run("CreateUser", {"UserName": "eve"}))
    one.held.policies = allowing(Effect="Deny")
    with pytest.raises(AccessDenied, match="explicit deny"):
        asyncio.run(one.run("CreateUser", {"UserName": "eve"}))


class Door:
    """A resource with a policy for a service, which says on whose behalf it asks."""

    def __init__(self, **condition: Any) -> None:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "iam:CreateUser",
            "Resource": "*",
            "Condition": condition,
        }
        text = json.dumps({"Version": "2012-10-17", "Statement": statement})
        self.owned = OwnedPolicies(ACCOUNT, (parse_policy("door", text),))

    async def load(self, ctx: Context, request: Any) -> OwnedPolicies:
        return self.owned


def asking(source: str, name: str = "events.amazonaws.com") -> Principal:
    return service_principal(name, ACCOUNT, {"aws:SourceArn": source})


def test_a_service_is_let_in_for_the_source_that_the_policy_names_and_no_other(
    tmp_path: Path,
) -> None:
    door = Door(ArnLike={"AWS:SourceArn": "arn:aws:events:us-east-1:123456789012:rule/red*"})
    red, blue = (f"arn:aws:events:us-east-1:123456789012:rule/{hue}" for hue in ("red", "blue"))
    one = Stand(tmp_path, operation("CreateUser", echo, resource_policy=door.load))
    for _ in range(2):
        assert asyncio.run(one.run("CreateUser", {"UserName": "eve"}, asking(red)))
        for stranger in (asking(blue), asking(red, "sns.amazonaws.com"), asking("")):
            with pytest.raises(AccessDenied):
                asyncio.run(one.run("CreateUser", {"UserName": "eve"}, stranger))
    assert len(door.owned.decided) == 4
    door.owned = Door(ArnLike={"aws:SourceArn": blue}).owned
    with pytest.raises(AccessDenied):
        asyncio.run(one.run("CreateUser", {"UserName": "eve"}, asking(red)))


def test_a_resource_policy_that_looks_further_is_asked_for_every_request(tmp_path: Path) -> None:
    colour = Colour()
    door = Door(StringEquals={"iam:Colour": "red", "aws:SourceArn": "a"})
    one = Stand(
        tmp_path,
        operation("CreateUser", echo, conditions=colour.keys, resource_policy=door.load),
    )
    assert asyncio.run(one.run("CreateUser", {"UserName": "eve"}, asking("a")))
    colour.value = "blue"
    with pytest.raises(AccessDenied):
        asyncio.run(one.run("CreateUser", {"UserName": "eve"}, asking("a")))
    assert door.owned.decided == {}


def test_what_is_remembered_is_bounded(tmp_path: Path) -> None:
    def named(ctx: Context, request: Any) -> str:
        return f"arn:aws:iam::123456789012:user/{request['UserName']}"

    one = Stand(tmp_path, operation("CreateUser", echo, resource=named))
    one.held.policies = allowing()

    async def ask_many() -> None:
        for number in range(DECISIONS_REMEMBERED_MAX * 3):
            await one.run("CreateUser", {"UserName": f"u{number}"})

    asyncio.run(ask_many())
    assert 0 < len(one.held.policies.decided) <= DECISIONS_REMEMBERED_MAX


@pytest.mark.parametrize(
    ("resource", "account"),
    [
        ("arn:aws:sqs:us-east-1:111111111111:q", "111111111111"),
        ("arn:aws:s3:::bucket/a:b", ""),
        ("*", ""),
    ],
)
def test_an_owner_is_the_account_in_the_arn(resource: str, account: str) -> None:
    assert owner_of(resource) == account
