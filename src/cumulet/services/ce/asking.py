"""What callers ask of Cost Explorer: spans of time, filters, groups and metrics, checked.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetCostAndUsage.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple

from cumulet.core.errors import AwsError
from cumulet.services.ce.errors import ValidationException
from cumulet.services.ce.limits import (
    FILTER_DEPTH_MAX,
    FILTER_VALUES_MAX,
    GROUPS_MAX,
    MONTHS_KEPT,
)
from cumulet.services.ce.model import months_before, next_day, next_month
from cumulet.services.ce.reckoning import Line

Test = Callable[[Line], bool]

VALUES: Mapping[str, Callable[[Line], str]] = {
    "SERVICE": lambda line: line.service,
    "REGION": lambda line: line.region or "global",
    "USAGE_TYPE": lambda line: line.usage_type,
    "OPERATION": lambda line: line.operation,
    "LINKED_ACCOUNT": lambda line: line.account,
    "RECORD_TYPE": lambda line: "Usage",
    "RESOURCE_ID": lambda line: line.resource or "NoResourceId",
}
"""The dimensions that usage has here."""

_COSTS = (
    "AmortizedCost",
    "BlendedCost",
    "NetAmortizedCost",
    "NetUnblendedCost",
    "UnblendedCost",
)
_METRICS = {name.upper(): name for name in (*_COSTS, "NormalizedUsageAmount", "UsageQuantity")}
_OPT_IN = (
    "Hourly granularity is an opt-in only feature. You can enable this feature from the PAYER "
    "account's Cost Explorer Settings page. Data for this feature will be available within 48 "
    "hours."
)


class Period(NamedTuple):
    """Days from `begin` to before `end` (ISO), in steps of a day or a month."""

    begin: str
    end: str
    granularity: str

    def steps(self) -> list[tuple[str, str]]:
        """The spans of an answer; the first and last month may be parts of one."""
        found = []
        at = self.begin
        while at < self.end:
            after = next_day(at) if self.granularity == "DAILY" else next_month(at)
            found.append((at, min(after, self.end)))
            at = after
        return found


class Group(NamedTuple):
    """By what results are grouped: the definition as it was given, and a line's key."""

    definition: dict[str, str]
    key: Callable[[Line], str]


def parse_period(given: Mapping[str, str], granularity: str, today: str) -> Period:
    """The time that is asked for. Raises ValidationException, and AccessDenied for hours."""
    if granularity == "HOURLY":
        raise AwsError(_OPT_IN, code="AccessDeniedException")
    begin, end = (_day(given[name], name) for name in ("Start", "End"))
    if begin >= end:
        raise ValidationException("Start date (and hour) should be before end date (and hour)")
    if end > next_month(today):
        raise ValidationException("end date past the beginning of next month")
    if begin < months_before(today, MONTHS_KEPT):
        raise ValidationException(
            f"You haven't enabled historical data beyond {MONTHS_KEPT} months"
        )
    return Period(begin, end, granularity)


def _day(text: str, name: str) -> str:
    if "T" in text:
        raise ValidationException(
            f"{name} date must be in yyyy-MM-dd format for DAILY and MONTHLY granularity: {text}"
        )
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValidationException(f"{name} date is invalid: {text}") from None


def parse_metrics(names: list[str] | None) -> list[str]:
    """The metrics' names as answers spell them. Raises ValidationException."""
    if not names:
        raise ValidationException("At least one metric must be provided.")
    found = []
    for name in names:
        known = _METRICS.get(name.replace("_", "").upper())
        if known is None:
            raise ValidationException(
                f"Invalid metric: {name}. Valid values are: {', '.join(sorted(_METRICS.values()))}"
            )
        found.append(known)
    return found


def is_cost(metric: str) -> bool:
    """Whether it is in US dollars: without discounts and organizations they are all the same."""
    return metric in _COSTS


def parse_groups(given: list[dict[str, str]] | None, *, by_resource: bool) -> list[Group]:
    """How results are grouped. Raises ValidationException."""
    given = given or []
    if len(given) > GROUPS_MAX:
        raise ValidationException(f"Only up to {GROUPS_MAX} groups can be used in GroupBy.")
    groups = [_group(one, by_resource=by_resource) for one in given]
    if len({tuple(sorted(one.definition.items())) for one in groups}) < len(groups):
        raise ValidationException("Duplicate GroupBy definitions are not allowed.")
    return groups


def _group(given: dict[str, str], *, by_resource: bool) -> Group:
    kind, key = given.get("Type", "DIMENSION"), given.get("Key", "")
    definition = {"Type": kind, "Key": key}
    if not key:
        raise ValidationException("A GroupBy definition needs a Key.")
    if kind in ("TAG", "COST_CATEGORY"):
        # No tag is activated for costs and there are no categories: all is under the empty value.
        return Group(definition, lambda line: f"{key}$")
    if key not in VALUES or (key == "RESOURCE_ID" and not by_resource):
        raise ValidationException(f"Group Definition dimension is invalid: {key}")
    return Group(definition, VALUES[key])


def parse_filter(given: Mapping[str, Any] | None, *, by_resource: bool, depth: int = 0) -> Test:
    """Which lines are asked for. Raises ValidationException."""
    if not given:
        return lambda line: True
    if depth > FILTER_DEPTH_MAX:
        raise ValidationException(f"A filter may be {FILTER_DEPTH_MAX} levels deep.")
    if len(given) != 1:
        raise ValidationException("Expression should have exactly one root operator.")
    ((name, inner),) = given.items()
    if name in ("And", "Or"):
        if len(inner) < 2:
            raise ValidationException(f"{name} expression must have at least 2 operands.")
        tests = [parse_filter(one, by_resource=by_resource, depth=depth + 1) for one in inner]
        if name == "And":
            return lambda line: all(test(line) for test in tests)
        return lambda line: any(test(line) for test in tests)
    if name == "Not":
        test = parse_filter(inner, by_resource=by_resource, depth=depth + 1)
        return lambda line: not test(line)
    if name in ("Tags", "CostCategories"):
        return _without_tags(inner)
    if name == "Dimensions":
        return _by_dimension(inner, by_resource=by_resource)
    raise ValidationException(f"Filters by {name} are not supported by Cumulet.")


def _without_tags(given: Mapping[str, Any]) -> Test:
    """Nothing has a tag that is activated for costs: only what asks for none finds anything."""
    options = given.get("MatchOptions") or ()
    finds = "ABSENT" in options or "" in (given.get("Values") or ())
    return lambda line: finds


def _by_dimension(given: Mapping[str, Any], *, by_resource: bool) -> Test:
    key = given.get("Key", "")
    values = given.get("Values") or []
    if not key or not values:
        raise ValidationException("A dimension filter needs a Key and Values.")
    if len(values) > FILTER_VALUES_MAX:
        raise ValidationException(f"A filter may have {FILTER_VALUES_MAX} values.")
    if key not in VALUES or (key == "RESOURCE_ID" and not by_resource):
        raise ValidationException(f"Dimension {key} is not supported in this filter.")
    options = given.get("MatchOptions") or ["EQUALS", "CASE_SENSITIVE"]
    if not set(options) <= {"EQUALS", "CASE_SENSITIVE"}:
        raise ValidationException(
            "Match options EQUALS and CASE_SENSITIVE are supported for dimensions."
        )
    value, wanted = VALUES[key], frozenset(values)
    return lambda line: value(line) in wanted
