"""What a template's functions may look at while they are evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Made:
    """A resource that exists, as `Ref` and `Fn::GetAtt` see it.

    `settled` is false for one that is about to be changed: its attributes may change with it.
    """

    ref: Any
    attributes: Mapping[str, Any] = field(default_factory=dict)
    settled: bool = True


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything known at one moment; evaluation reads it and nothing else.

    `values` holds parameters and pseudo parameters. `declared` names every resource the template
    will make; those missing in `made` are not known yet. `exports` holds the exports that the
    template imports. `attributes` says what each resource's type can tell, None for any.
    """

    values: Mapping[str, Any]
    mappings: Mapping[str, Any] = field(default_factory=dict)
    conditions: Mapping[str, bool] = field(default_factory=dict)
    declared: frozenset[str] = frozenset()
    made: Mapping[str, Made] = field(default_factory=dict)
    exports: Mapping[str, str] | None = field(default_factory=dict)
    attributes: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    extended: bool = False


def pseudo_parameters(
    *, account: str, region: str, stack_id: str, stack_name: str
) -> dict[str, Any]:
    """The pseudo parameters, `AWS::NoValue` excepted.

    `AWS::URLSuffix` is AWS's own, since templates build service principals with it; `local_url`
    turns the addresses in outputs into ones that answer here.
    """
    return {
        "AWS::AccountId": account,
        "AWS::NotificationARNs": [],
        "AWS::Partition": "aws",
        "AWS::Region": region,
        "AWS::StackId": stack_id,
        "AWS::StackName": stack_name,
        "AWS::URLSuffix": "amazonaws.com",
    }
