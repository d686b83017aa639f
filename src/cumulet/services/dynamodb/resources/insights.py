"""Contributor Insights as CloudFormation's tables have them: of the table and of its indexes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.kit.resources import FLAG, TEXT, Props, struct

INSIGHTS = "ContributorInsightsSpecification"
INSIGHTS_SPECIFICATION = struct({"Enabled": FLAG, "Mode": TEXT}, "Enabled")


async def set_insights(ctx: Context, name: str, old: Props, new: Props) -> None:
    """Count keys, or no more, where it is not so already.

    Nothing is asked where insights are not spoken of: a stack's role needs no permission for that.
    """
    before = _modes(old)
    for index, mode in _modes(new).items():
        if not mode and not before.get(index):
            continue
        place = {"TableName": name, **({"IndexName": index} if index else {})}
        found = await ctx.call("dynamodb", "DescribeContributorInsights", **place)
        if found.get("ContributorInsightsMode", "") != mode:
            asked = {"ContributorInsightsMode": mode} if mode else {}
            await ctx.call(
                "dynamodb",
                "UpdateContributorInsights",
                ContributorInsightsAction="ENABLE" if mode else "DISABLE",
                **place,
                **asked,
            )


def _modes(props: Props) -> dict[str, str]:
    """The mode that the table ("") and each global index ask for, "" for none."""
    modes = {"": _mode(props)}
    for index in props.get("GlobalSecondaryIndexes") or ():
        modes[index["IndexName"]] = _mode(index)
    return modes


def _mode(props: Mapping[str, Any]) -> str:
    given = props.get(INSIGHTS) or {}
    if not given.get("Enabled"):
        return ""
    mode: str = given.get("Mode") or "ACCESSED_AND_THROTTLED_KEYS"
    return mode
