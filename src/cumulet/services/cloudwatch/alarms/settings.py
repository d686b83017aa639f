"""What PutMetricAlarm and PutCompositeAlarm ask for, checked in AWS's order. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cumulet.core.identity import parse_arn
from cumulet.services.cloudwatch.alarms.evaluating import COMPARISONS
from cumulet.services.cloudwatch.alarms.limits import (
    HOUR_SECONDS,
    RANGE_SECONDS_MAX,
    SHORT_RANGE_SECONDS_MAX,
    TAGS_MAX,
)
from cumulet.services.cloudwatch.alarms.rules import Rule, RuleError, alarms_in, parse_rule
from cumulet.services.cloudwatch.metrics.asking import is_period
from cumulet.services.cloudwatch.metrics.distribution import parse_statistic
from cumulet.services.cloudwatch.metrics.errors import (
    InvalidParameterCombinationException,
    InvalidParameterValueException,
    ValidationException,
)
from cumulet.services.cloudwatch.metrics.putting import parse_dimensions
from cumulet.services.cloudwatch.metrics.reading import check_queries

Request = Mapping[str, Any]

_TREATMENTS = ("breaching", "notBreaching", "ignore", "missing")
_NOT_HERE = (
    "ThresholdMetricId",
    "EvaluationWindow",
    "WarmUpConfiguration",
    "EvaluationCriteria",
    "EvaluationInterval",
    "ActionConfiguration",
)
_OF_ONE_METRIC = (
    "MetricName",
    "Namespace",
    "Dimensions",
    "Period",
    "Unit",
    "Statistic",
    "ExtendedStatistic",
)
_PERCENTILE = re.compile(r"p\d{1,2}(\.\d{1,10})?\Z|p100\Z")
_SUPPRESSOR = ("ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")


def settings_of(request: Request) -> dict[str, Any]:
    """The settings of a request as they are kept: what was given, without name and tags."""
    left_out = ("AlarmName", "Tags")
    kept = {key: value for key, value in request.items() if key not in left_out}
    return {key: value for key, value in kept.items() if value is not None}


def tags_of(request: Request) -> dict[str, str]:
    """The tags of a request. Raises ValidationError for too many of them."""
    tags = {one["Key"]: one["Value"] for one in request.get("Tags") or ()}
    if len(tags) > TAGS_MAX:
        raise ValidationException(f"A resource can have at most {TAGS_MAX} tags.")
    return tags


def check_metric_alarm(request: Request) -> None:
    """Raises ValidationError, InvalidParameterValue and InvalidParameterCombination.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    for name in _NOT_HERE:
        if request.get(name) is not None:
            raise ValidationException(f"{name} is not supported by Cumulet.")
    compared = request.get("ComparisonOperator")
    if compared is None:
        raise ValidationException("The parameter ComparisonOperator is required.")
    if compared not in COMPARISONS:
        raise ValidationException(
            f"ComparisonOperator {compared} is for anomaly detection, which is not supported by "
            "Cumulet."
        )
    if request.get("EvaluationPeriods") is None:
        raise ValidationException("The parameter EvaluationPeriods is required.")
    if request.get("Threshold") is None:
        raise ValidationException("The parameter Threshold is required.")
    treated = request.get("TreatMissingData")
    if treated is not None and treated not in _TREATMENTS:
        raise ValidationException(
            f"The value {treated} is not supported for TreatMissingData parameter. "
            f"Supported values are [{', '.join(_TREATMENTS)}]."
        )
    needed = request.get("DatapointsToAlarm")
    if needed is not None and needed > request["EvaluationPeriods"]:
        raise ValidationException(
            "DatapointsToAlarm must be less than or equal to EvaluationPeriods."
        )
    low = request.get("EvaluateLowSampleCountPercentile")
    if low not in (None, "evaluate", "ignore"):
        raise ValidationException(
            f"Option {low} is not supported. Supported options for parameter "
            "EvaluateLowSampleCountPercentile are evaluate and ignore."
        )
    if request.get("Metrics"):
        _check_queries(request)
    else:
        _check_one(request)
    check_actions(request)
    _check_range(request)


def _check_one(request: Request) -> None:
    for name in ("MetricName", "Namespace"):
        if not request.get(name):
            raise ValidationException(
                "Either MetricName and Namespace, or Metrics must be specified."
            )
    simple, extended = request.get("Statistic"), request.get("ExtendedStatistic")
    if (simple is None) == (extended is None):
        raise InvalidParameterCombinationException(
            "Exactly one of the parameters Statistic or ExtendedStatistic must be specified."
        )
    if extended is not None and parse_statistic(extended) is None:
        raise InvalidParameterValueException(
            f"The value {extended} for parameter ExtendedStatistic is not supported."
        )
    low = request.get("EvaluateLowSampleCountPercentile")
    if low is not None and not (extended and _PERCENTILE.match(extended)):
        raise ValidationException(
            "EvaluateLowSampleCountPercentile is for alarms on percentiles only."
        )
    period = request.get("Period")
    if period is None:
        raise ValidationException("The parameter Period is required.")
    _check_period(period)
    parse_dimensions(request.get("Dimensions") or (), "Dimensions")


def _check_period(period: int) -> None:
    if not is_period(period) or period in (1, 5):
        raise ValidationException("Period must be 10, 20, 30 or a multiple of 60.")


def _check_queries(request: Request) -> None:
    for name in _OF_ONE_METRIC:
        if request.get(name) is not None:
            raise InvalidParameterCombinationException(
                f"The parameters Metrics and {name} are mutually exclusive and you have "
                "specified both."
            )
    queries: Sequence[Request] = request["Metrics"]
    check_queries(queries)
    told = [query for query in queries if query.get("ReturnData", True)]
    if len(told) != 1:
        raise ValidationException("Exactly one element of the metrics list should return data.")
    for query in queries:
        stat = query.get("MetricStat")
        _check_period(stat["Period"] if stat else query.get("Period") or 60)


def query_period(request: Request) -> int:
    """The period of an alarm, in seconds."""
    if not request.get("Metrics"):
        return int(request["Period"])
    periods = [
        query["MetricStat"]["Period"] if query.get("MetricStat") else query.get("Period") or 0
        for query in request["Metrics"]
    ]
    return max(periods) or 60


def _check_range(request: Request) -> None:
    period = query_period(request)
    whole = period * request["EvaluationPeriods"]
    most = RANGE_SECONDS_MAX if period >= HOUR_SECONDS else SHORT_RANGE_SECONDS_MAX
    if whole > most:
        raise ValidationException(
            f"Metrics cannot be checked across more than {most // 86_400} day(s) "
            "(EvaluationPeriods * Period must be <= "
            f"{most})."
        )


def check_actions(request: Request) -> None:
    """What can be done: topics and functions. Raises ValidationError."""
    for name in ("OKActions", "AlarmActions", "InsufficientDataActions"):
        for action in request.get(name) or ():
            arn = parse_arn(action)
            if arn is None:
                raise ValidationException(f"Invalid arn syntax: {action}")
            is_function = arn.service == "lambda" and arn.resource.startswith("function:")
            if arn.service != "sns" and not is_function:
                raise ValidationException(
                    f"Invalid use of {arn.service}: the action {action} is not supported by "
                    "Cumulet. Actions can be SNS topics and Lambda functions."
                )


def check_composite_alarm(request: Request) -> tuple[Rule, tuple[str, ...]]:
    """The rule, and the names of the alarms that it looks at. Raises ValidationError."""
    if request.get("ActionConfiguration") is not None:
        raise ValidationException("ActionConfiguration is not supported by Cumulet.")
    try:
        rule = parse_rule(request["AlarmRule"])
    except RuleError as cause:
        raise ValidationException(f"Invalid AlarmRule: {cause}.") from None
    names = alarms_in(rule)
    if request["AlarmName"] in names:
        raise ValidationException("The alarm rule must not name the alarm itself.")
    check_actions(request)
    suppressor = request.get("ActionsSuppressor")
    if not suppressor:
        if any(request.get(name) is not None for name in _SUPPRESSOR):
            raise ValidationException(
                "ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod need an "
                "ActionsSuppressor."
            )
        return rule, names
    if any(request.get(name) is None or request[name] < 0 for name in _SUPPRESSOR):
        raise ValidationException(
            "ActionsSuppressor needs ActionsSuppressorWaitPeriod and "
            "ActionsSuppressorExtensionPeriod."
        )
    return rule, tuple(dict.fromkeys((*names, suppressor_name(suppressor))))


def suppressor_name(given: str) -> str:
    """The name of an alarm that is given by name or ARN."""
    arn = parse_arn(given)
    return arn.resource.removeprefix("alarm:") if arn is not None else given
