"""What deployment tools expect to find in an account, made at first start.

The CDK looks for the stack of `cdk bootstrap`, and the SAM CLI makes a stack with a bucket for its
packages. Their own templates ask for a container registry and KMS keys, which are not here; these
stacks, made through CloudFormation like any other, take their places. Who deletes one keeps it
deleted.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import msgspec

from cumulet.core.context import Platform
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope, root_principal
from cumulet.core.trace import log_line
from cumulet.kit.service import Service
from cumulet.kit.workers import Worker
from cumulet.kv.contract import Store, Transaction
from cumulet.kv.table import Table
from cumulet.services.cloudformation.bootstrap import STACK_NAME, cdk_toolkit_template
from cumulet.services.iam import load_accounts

_DAY_SECONDS = 86_400.0


class Mark(msgspec.Struct, frozen=True):
    """A stack that was made once for an account and region, whatever became of it."""

    stack: str


MARKS: Table[Mark] = Table("app", "tooling", Mark, lambda mark: (mark.stack,))


def sam_managed_template() -> dict[str, Any]:
    """The stack in which `sam deploy --resolve-s3` keeps packages: a versioned, private bucket."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Where the SAM CLI keeps the packages of deployments.",
        "Resources": {
            "SamCliSourceBucket": {
                "Type": "AWS::S3::Bucket",
                "Properties": {
                    "VersioningConfiguration": {"Status": "Enabled"},
                    "Tags": [{"Key": "ManagedStackSource", "Value": "AwsSamCli"}],
                },
            }
        },
        "Outputs": {"SourceBucket": {"Value": {"Ref": "SamCliSourceBucket"}}},
    }


_STACKS: dict[str, Any] = {
    STACK_NAME: cdk_toolkit_template,
    "aws-sam-cli-managed-default": sam_managed_template,
}


def tooling(region: str) -> Service:
    """A service without operations, whose one worker sees to these stacks in `region`."""

    async def see_to_stacks(platform: Platform) -> float:
        for account in await load_accounts(platform.need(Store)):
            for name in _STACKS:
                await _see_to(platform, Scope(account, region), name)
        return _DAY_SECONDS

    return Service("tooling", "", {}, workers=(Worker("tooling", see_to_stacks),), tables=(MARKS,))


async def _see_to(platform: Platform, scope: Scope, name: str) -> None:
    store = platform.need(Store)

    async def is_marked(tx: Transaction) -> bool:
        return await MARKS.load(tx, scope, name) is not None

    async def mark(tx: Transaction) -> None:
        await MARKS.save(tx, scope, Mark(name))

    if await store.transact(is_marked):
        return
    ctx = platform.context(scope, root_principal(scope.account))
    try:
        await ctx.call(
            "cloudformation",
            "CreateStack",
            StackName=name,
            TemplateBody=json.dumps(_STACKS[name]()),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Tags=[{"Key": "ManagedStackSource", "Value": "AwsSamCli"}] if "sam" in name else [],
        )
    except AwsError as error:
        if error.code != "AlreadyExistsException":
            log_line(logging.WARNING, "a tool's stack was not made", stack=name, why=error.message)
            return
    await store.transact(mark)
