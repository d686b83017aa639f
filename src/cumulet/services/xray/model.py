"""Traces, segments, sampling rules and groups as records."""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.identity import Scope


class Trace(msgspec.Struct, frozen=True):
    """A trace: when it began and was written to last (epoch seconds), and how large it is."""

    id: str
    began: float
    written: float
    segments: int
    size_bytes: int
    is_over: bool = False


class Segment(msgspec.Struct, frozen=True):
    """A segment as it was sent; one of the same id takes the place of the one before."""

    trace: str
    id: str
    began: float
    document: str


class Rule(msgspec.Struct, frozen=True):
    """A sampling rule; `settings` are in AWS's spelling."""

    name: str
    settings: dict[str, Any]
    created_at: float
    modified_at: float


class Group(msgspec.Struct, frozen=True):
    """A group of traces: those that a filter expression matches."""

    name: str
    uid: str
    expression: str = ""


DEFAULT = "Default"
DEFAULT_RULE: dict[str, Any] = {
    "RuleName": DEFAULT,
    "ResourceARN": "*",
    "Priority": 10_000,
    "FixedRate": 0.05,
    "ReservoirSize": 1,
    "ServiceName": "*",
    "ServiceType": "*",
    "Host": "*",
    "HTTPMethod": "*",
    "URLPath": "*",
    "Version": 1,
    "Attributes": {},
}
"""https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html"""


def rule_arn(scope: Scope, name: str) -> str:
    """The ARN of a sampling rule."""
    return scope.arn("xray", f"sampling-rule/{name}")


def group_arn(scope: Scope, group: Group) -> str:
    """The ARN of a group; the default one has no id."""
    return scope.arn("xray", f"group/{group.name}/{group.uid}".rstrip("/"))
