"""What a PutMetricData request says, checked in AWS's order and put together by place."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cumulet.services.cloudwatch.metrics.distribution import Summary, merge, summarize
from cumulet.services.cloudwatch.metrics.errors import (
    InvalidParameterCombinationException,
    InvalidParameterValueException,
    MissingRequiredParameterException,
)
from cumulet.services.cloudwatch.metrics.limits import (
    DATA_MAX,
    DIMENSIONS_MAX,
    FUTURE_SECONDS_MAX,
    PAST_SECONDS_MAX,
    VALUE_MAX,
    VALUES_MAX,
)
from cumulet.services.cloudwatch.metrics.model import Dimensions
from cumulet.services.cloudwatch.metrics.store import Place

Datum = Mapping[str, Any]


def plan_put(request: Mapping[str, Any], now: float) -> dict[Place, Summary]:
    """The measurements of a request by place.

    Raises InvalidParameterValue, InvalidParameterCombination and MissingParameter.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
    """
    namespace = request["Namespace"]
    if namespace.startswith("AWS/"):
        raise InvalidParameterValueException("The value AWS/ for parameter Namespace is invalid.")
    if request.get("EntityMetricData") or request.get("StrictEntityValidation"):
        raise InvalidParameterValueException(
            "The parameter EntityMetricData is not supported by Cumulet."
        )
    data: Sequence[Datum] = request.get("MetricData") or ()
    if not data:
        raise MissingRequiredParameterException("The parameter MetricData is required.")
    if len(data) > DATA_MAX:
        raise InvalidParameterValueException(
            f"The collection MetricData must not have a size greater than {DATA_MAX}."
        )
    gathered: dict[Place, list[Summary]] = {}
    for number, datum in enumerate(data, 1):
        where = f"MetricData.member.{number}"
        place = _place(namespace, datum, where, now)
        gathered.setdefault(place, []).append(_summary(datum, where))
    return {place: merge(parts) for place, parts in gathered.items()}


def _place(namespace: str, datum: Datum, where: str, now: float) -> Place:
    at = datum.get("Timestamp")
    at = now if at is None else float(at)
    if not now - PAST_SECONDS_MAX <= at <= now + FUTURE_SECONDS_MAX:
        raise InvalidParameterValueException(
            f"The parameter {where}.Timestamp must specify a time within the past two weeks, "
            "or at most two hours ahead."
        )
    resolution = datum.get("StorageResolution", 60)
    if resolution not in (1, 60):
        raise InvalidParameterValueException(
            f"The parameter {where}.StorageResolution must be 1 or 60."
        )
    dimensions = parse_dimensions(datum.get("Dimensions") or (), f"{where}.Dimensions")
    start = int(at) - int(at) % resolution
    unit = datum.get("Unit", "None")
    return Place(namespace, datum["MetricName"], dimensions, unit, start, resolution)


def parse_dimensions(given: Sequence[Mapping[str, str]], where: str) -> Dimensions:
    """The pairs in order. Raises InvalidParameterValue for too many of them, or one name twice."""
    if len(given) > DIMENSIONS_MAX:
        raise InvalidParameterValueException(
            f"The collection {where} must not have a size greater than {DIMENSIONS_MAX}."
        )
    pairs = tuple(sorted((one["Name"], one["Value"]) for one in given))
    if len(dict(pairs)) < len(pairs):
        raise InvalidParameterValueException(f"The names of {where} must be different.")
    return pairs


def _summary(datum: Datum, where: str) -> Summary:
    value, values = datum.get("Value"), datum.get("Values")
    told = datum.get("StatisticValues")
    for one, other in (("Value", "Values"), ("Value", "StatisticValues"),
                       ("Values", "StatisticValues")):  # fmt: skip
        if datum.get(one) is not None and datum.get(other) is not None:
            raise InvalidParameterCombinationException(
                f"The parameters {where}.{one} and {where}.{other} are mutually exclusive "
                "and you have specified both."
            )
    if value is not None:
        return summarize(_checked([value], f"{where}.Value"))
    if values is not None:
        return _counted(values, datum.get("Counts"), where)
    if told is not None:
        return _told(told, f"{where}.StatisticValues")
    raise MissingRequiredParameterException(
        f"At least one of the parameters {where}.Value, {where}.Values or "
        f"{where}.StatisticValues must be specified."
    )


def _counted(values: Sequence[float], counts: Sequence[float] | None, where: str) -> Summary:
    if counts is not None and len(counts) != len(values):
        raise InvalidParameterValueException(
            f"The parameters {where}.Values and {where}.Counts must be of the same size."
        )
    if not 0 < len(values) <= VALUES_MAX:
        raise InvalidParameterValueException(
            f"The collection {where}.Values must have a size between 1 and {VALUES_MAX}."
        )
    checked = list(_checked(values, f"{where}.Values"))
    if counts is None:
        return summarize(checked)
    if min(counts) < 0 or sum(counts) == 0:
        raise InvalidParameterValueException(
            f"The parameter {where}.Counts must have positive values."
        )
    pairs = [(one, count) for one, count in zip(checked, counts, strict=True) if count]
    return summarize([one for one, _ in pairs], list(_checked([c for _, c in pairs], where)))


def _told(told: Mapping[str, float], where: str) -> Summary:
    count, total, low, high = _checked(
        [told[name] for name in ("SampleCount", "Sum", "Minimum", "Maximum")], where
    )
    if count <= 0 or low > high:
        raise InvalidParameterValueException(
            f"The parameter {where} must have a positive SampleCount and a Minimum that is "
            "not greater than its Maximum."
        )
    pairs = ((low, count),) if low == high else ()
    return Summary(count, total, low, high, pairs)


def _checked(values: Sequence[float], where: str) -> Iterator[float]:
    for value in values:
        if not math.isfinite(value) or abs(value) > VALUE_MAX:
            raise InvalidParameterValueException(
                f"The value {value} for parameter {where} is invalid."
            )
        yield float(value)
