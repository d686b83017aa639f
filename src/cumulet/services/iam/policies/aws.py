"""AWS's own managed policies: those that applications of this cloud refer to.

The documents are as AWS publishes them, one policy in each line of `aws_policies.jsonl`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files

import msgspec

from cumulet.core.identity import PARTITION

_PREFIX = f"arn:{PARTITION}:iam::aws:policy/"


class AwsPolicy(msgspec.Struct, frozen=True):
    """One of AWS's policies; `document` is its JSON text, kept as bytes until it is asked for."""

    name: str
    path: str
    id: str
    version: str
    created: datetime
    updated: datetime
    document: msgspec.Raw

    @property
    def arn(self) -> str:
        """Its ARN, the same in every account."""
        return f"arn:{PARTITION}:iam::aws:policy{self.path}{self.name}"

    @property
    def text(self) -> str:
        """The document."""
        return bytes(self.document).decode()


def is_aws_arn(arn: str) -> bool:
    """Whether an ARN is that of one of AWS's policies, known here or not."""
    return arn.startswith(_PREFIX)


@cache
def aws_policies() -> Mapping[str, AwsPolicy]:
    """Every such policy by its ARN, in the order of their names."""
    lines = files(__package__).joinpath("aws_policies.jsonl").read_bytes().splitlines()
    policies = (msgspec.json.decode(line, type=AwsPolicy) for line in lines)
    return {policy.arn: policy for policy in policies}


def managed_document(arn: str) -> str | None:
    """The document of one of AWS's policies, or None when there is none of that ARN."""
    if not is_aws_arn(arn):
        return None
    policy = aws_policies().get(arn)
    return None if policy is None else policy.text
