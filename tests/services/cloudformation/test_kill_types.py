"""Kills while real resources are made: what the product's own types do when a step is resumed.

Unlike in `test_kill.py` the commits of the services count too, so that a resource may exist of
which CloudFormation knows nothing yet, also under a name that the template gives.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.services.cloudformation.stand import Stand, World, run
from tests.services.cloudformation.test_kill import Mortal, wait_for_no_runs

from cumulet.kit.workers import Tasks
from cumulet.kv.memory import MemoryStore
from cumulet.services import cloudwatch, iam, ssm

REAL = (*iam.SERVICES, *cloudwatch.SERVICES, *ssm.SERVICES)
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
ALLOW = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}],
}


def wanted(named: bool) -> dict[str, Any]:
    """A role with policies, a managed policy, a user with a key, a log group and a parameter."""

    def name(**given: str) -> dict[str, str]:
        return given if named else {}

    inline = {"PolicyName": "own", "PolicyDocument": ALLOW}
    ref = {"Ref": "Managed"}
    return {
        "Managed": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"PolicyDocument": ALLOW, **name(ManagedPolicyName="the-policy")},
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": TRUST,
                "Policies": [inline],
                "ManagedPolicyArns": [ref],
                **name(RoleName="the-role"),
            },
        },
        "User": {"Type": "AWS::IAM::User", "Properties": name(UserName="the-user")},
        "Key": {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": {"Ref": "User"}}},
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7}},
        "Value": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Type": "String", "Value": "v", **name(Name="/the/parameter")},
        },
    }


async def standing(stand: Stand) -> dict[str, int]:
    """How many of each there are, whoever made them."""
    ctx = stand.context()
    keys = 0
    users = (await ctx.call("iam", "ListUsers"))["Users"]
    for user in users:
        found = await ctx.call("iam", "ListAccessKeys", UserName=user["UserName"])
        keys += len(found["AccessKeyMetadata"])
    return {
        "roles": len((await ctx.call("iam", "ListRoles"))["Roles"]),
        "policies": len((await ctx.call("iam", "ListPolicies", Scope="Local"))["Policies"]),
        "users": len(users),
        "keys": keys,
        "groups": len((await ctx.call("logs", "DescribeLogGroups"))["logGroups"]),
        "parameters": len((await ctx.call("ssm", "DescribeParameters"))["Parameters"]),
    }


async def _round(resources: dict[str, Any], kill_at: int) -> bool:
    world, store = World(), MemoryStore()
    mortal = Mortal(store)
    doomed = Stand(world, mortal, REAL)
    await doomed.call(
        "CreateStack",
        StackName="s",
        TemplateBody=json.dumps({"Resources": resources}),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    mortal.left, mortal.before = kill_at, False
    async with doomed:
        tasks = Tasks()
        ended = tasks.start(wait_for_no_runs(store), "ended")
        dead = tasks.start(mortal.dead.wait(), "dead")
        async with asyncio.timeout(20):
            await asyncio.wait((ended, dead), return_when=asyncio.FIRST_COMPLETED)
        died = mortal.dead.is_set()
        mortal.dead.set()
        await tasks.stop()
    async with Stand(world, store, REAL) as heir:
        stack = await heir.settled("s")
        reasons = [event for event in await heir.events("s") if "FAILED" in event[1]]
        assert stack.status == "CREATE_COMPLETE", (kill_at, reasons)
        assert set((await standing(heir)).values()) == {1}, (kill_at, await standing(heir))
        assert (await heir.delete("s")).status == "DELETE_COMPLETE"
        assert set((await standing(heir)).values()) == {0}, (kill_at, await standing(heir))
    return died


@pytest.mark.parametrize("named", [False, True], ids=["own names", "given names"])
def test_real_resources_are_neither_lost_nor_made_twice(named: bool) -> None:
    async def every_commit() -> int:
        kill_at = 0
        while await _round(wanted(named), kill_at):
            kill_at += 1
        return kill_at

    assert run(every_commit()) > 12
