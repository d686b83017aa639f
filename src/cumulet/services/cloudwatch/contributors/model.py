"""Rules of Contributor Insights, and what was counted by them in a minute."""

from __future__ import annotations

import json
from typing import TypeAlias

import msgspec

from cumulet.core.identity import Scope

Keys: TypeAlias = tuple[str, ...]
"""What tells a contributor from others: one value for each key of its rule."""


class InsightRule(msgspec.Struct, frozen=True):
    """A rule. `resource` is the ARN of what a service made it for, `template` the kind of it."""

    name: str
    state: str
    definition: str
    template: str
    resource: str

    @property
    def is_enabled(self) -> bool:
        """Whether what is contributed counts."""
        return self.state == "ENABLED"

    @property
    def schema(self) -> str:
        """The schema of its definition, as JSON."""
        return json.dumps(json.loads(self.definition)["Schema"])

    @property
    def labels(self) -> list[str]:
        """The names of its keys."""
        keys: list[str] = json.loads(self.definition)["Contribution"]["Keys"]
        return [key.removeprefix("$.") for key in keys]

    @property
    def statistic(self) -> str:
        """What contributions are added up to: `Sum` or `Count`."""
        return str(json.loads(self.definition)["AggregateOn"])


class Contributor(msgspec.Struct, frozen=True, array_like=True):
    """What one contributor came to in a minute."""

    keys: Keys
    sum: float
    samples: float


class Minute(msgspec.Struct, frozen=True):
    """What was contributed to a rule in the minute that begins at `start` (epoch seconds).

    `contributors` are those with the most, in descending order; `others` is how many more there
    were, about.
    """

    rule: str
    start: int
    samples: float
    sum: float
    minimum: float
    maximum: float
    contributors: tuple[Contributor, ...]
    others: int = 0


def rule_arn(scope: Scope, name: str) -> str:
    """The ARN of a rule."""
    return scope.arn("cloudwatch", f"insight-rule/{name}")
