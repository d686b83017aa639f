"""Which keys of a table are counted for Contributor Insights, and the rules that count them. Pure.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/contributorinsights_HowItWorks.html
"""

from __future__ import annotations

import json
from typing import NamedTuple

from cumulet.kit.ports import ManagedRule
from cumulet.services.dynamodb.model import Insights, Table

ALL = "ACCESSED_AND_THROTTLED_KEYS"
THROTTLED = "THROTTLED_KEYS"

_NAME_CHARACTERS_MAX = 128
_PREFIX = "DynamoDBContributorInsights"
_VALUES = {"C": "$.ConsumedThroughputUnits", "T": "$.ThrottleCount"}
_KEYS = {"PK": ["$.PartitionKey"], "SK": ["$.PartitionKey", "$.SortKey"]}


class CountedKeys(NamedTuple):
    """The key of a table or index whose use is counted, and the rules that count it.

    `place` is the index's name, "" for the table. `rules` are by the end of AWS's names: PKC and
    SKC for what is accessed, PKT and SKT for what is throttled, of the partition key and of both
    keys.
    """

    place: str
    hashes: tuple[str, ...]
    ranges: tuple[str, ...]
    rules: dict[str, str]


def counted_keys(table: Table) -> tuple[CountedKeys, ...]:
    """What is counted of a table and its global indexes."""
    found = []
    for index, insights in table.insights.items():
        if insights.mode:
            hashes, ranges = _key_of(table, index)
            found.append(CountedKeys(index, hashes, ranges, rule_names(table, index)))
    return tuple(found)


def _key_of(table: Table, index: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    for one in table.indexes:
        if one.name == index:
            return one.hashes, one.ranges
    return (table.hash,), tuple(filter(None, (table.range,)))


def rule_names(table: Table, index: str) -> dict[str, str]:
    """The names of the rules of a table ("") or of one of its indexes; none when they are off."""
    insights = table.insights.get(index)
    if insights is None or not insights.mode:
        return {}
    _, ranges = _key_of(table, index)
    keys = ("PK", "SK") if ranges else ("PK",)
    uses = ("C", "T") if insights.mode == ALL else ("T",)
    return {
        f"{key}{use}": _name(f"{key}{use}", table, index, insights) for use in uses for key in keys
    }


def _name(kind: str, table: Table, index: str, insights: Insights) -> str:
    """As AWS names them; a long name of a table is cut, as a rule's name has its own bound."""
    began = str(round(insights.began * 1_000))
    resource = f"{table.name}-{index}" if index else table.name
    room = _NAME_CHARACTERS_MAX - len(f"{_PREFIX}-{kind}--{began}")
    return f"{_PREFIX}-{kind}-{resource[:room]}-{began}"


def managed_rules(table: Table, index: str) -> list[ManagedRule]:
    """The rules of a table or index as CloudWatch keeps them."""
    arn = f"{table.arn}/index/{index}" if index else table.arn
    return [
        ManagedRule(name, _definition(kind), f"{_PREFIX}-{kind}", arn)
        for kind, name in rule_names(table, index).items()
    ]


def _definition(kind: str) -> str:
    contribution = {"Keys": _KEYS[kind[:2]], "ValueOf": _VALUES[kind[2]], "Filters": []}
    return json.dumps(
        {
            "Schema": {"Name": "ServiceLogRule", "Version": 1},
            "LogFormat": "JSON",
            "Contribution": contribution,
            "AggregateOn": "Sum",
        }
    )
