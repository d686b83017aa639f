"""Waiting for stacks as users of boto3 do, and reading them."""

from __future__ import annotations

from typing import Any

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


def wait(cfn: Any, what: str, name: str) -> dict[str, Any]:
    """Wait as users of boto3 do, and show the stack."""
    cfn.get_waiter(what).wait(StackName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})
    return cfn.describe_stacks(StackName=name)["Stacks"][0]


def outputs(stack: dict[str, Any]) -> dict[str, str]:
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def reasons(cfn: Any, name: str) -> list[str]:
    events = cfn.describe_stack_events(StackName=name)["StackEvents"]
    return [e["ResourceStatusReason"] for e in events if "ResourceStatusReason" in e]
