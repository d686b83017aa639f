"""States of alarms from datapoints, by AWS's own table of examples.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from cumulet.services.cloudwatch.alarms.evaluating import Window, judge, window_end

END = 1_790_000_040
NOW = END + 6.0
CURRENT = "CURRENT"
COLUMNS = ("missing", "ignore", "breaching", "notBreaching")


def window(text: str, count: int = 3, **more: Any) -> Window:
    """`0 X - X X`: a datapoint for each period, the newest last."""
    values = {}
    for back, mark in enumerate(reversed(text.split()), 1):
        if mark != "-":
            values[END - 60 * back] = 10.0 if mark == "X" else 0.0
    return Window(END, 60, count, values, **more)


def settings(**more: Any) -> dict[str, Any]:
    return {
        "Namespace": "App",
        "Statistic": "Sum",
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 5.0,
        **more,
    }


def state(told: dict[str, Any], seen: Window) -> str:
    verdict = judge(told, seen, CURRENT, NOW)
    return CURRENT if verdict is None else verdict.state


U = "INSUFFICIENT_DATA"


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ("0 - X - X", ("OK", "OK", "OK", "OK")),
        ("- - - - 0", ("OK", "OK", "OK", "OK")),
        ("- - - - -", (U, CURRENT, "ALARM", "OK")),
        ("0 X X - X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("- - X - -", ("ALARM", CURRENT, "ALARM", "OK")),
    ],
)
def test_three_of_three(points: str, expected: tuple[str, ...]) -> None:
    found = tuple(state(settings(TreatMissingData=one), window(points)) for one in COLUMNS)
    assert found == expected


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ("0 - X - X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("0 0 X 0 X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("0 - X - -", ("OK", "OK", "ALARM", "OK")),
        ("- - - - 0", ("OK", "OK", "ALARM", "OK")),
        ("- - - X -", ("ALARM", CURRENT, "ALARM", "OK")),
    ],
)
def test_two_of_three(points: str, expected: tuple[str, ...]) -> None:
    told = {one: settings(TreatMissingData=one, DatapointsToAlarm=2) for one in COLUMNS}
    assert tuple(state(told[one], window(points)) for one in COLUMNS) == expected


def test_data_that_has_just_begun_to_breach_decides_nothing() -> None:
    assert state(settings(), window("- - - - X")) == CURRENT


def test_alarms_on_tables_ignore_what_is_missing() -> None:
    told = settings(Namespace="AWS/DynamoDB", TreatMissingData="breaching")
    assert state(told, window("- - - - -")) == CURRENT


@pytest.mark.parametrize(
    ("comparison", "value", "expected"),
    [
        ("GreaterThanThreshold", 5.0, "OK"),
        ("GreaterThanOrEqualToThreshold", 5.0, "ALARM"),
        ("LessThanThreshold", 5.0, "OK"),
        ("LessThanOrEqualToThreshold", 5.0, "ALARM"),
        ("LessThanThreshold", 4.9, "ALARM"),
    ],
)
def test_comparisons(comparison: str, value: float, expected: str) -> None:
    seen = Window(END, 60, 1, {END - 60: value})
    assert state(settings(ComparisonOperator=comparison), seen) == expected


def test_too_few_samples_of_a_percentile_change_nothing_when_told_so() -> None:
    few = frozenset({END - 60})
    seen = window("0 0 X", 1, unreliable=few)
    assert state(settings(EvaluateLowSampleCountPercentile="ignore"), seen) == CURRENT
    assert state(settings(EvaluateLowSampleCountPercentile="evaluate"), seen) == "ALARM"


@pytest.mark.parametrize(
    ("more", "points", "reason"),
    [
        (
            {},
            "X X X",
            "Threshold Crossed: 3 datapoints [10.0 (21/09/26 14:13:00), 10.0 (21/09/26 14:12:00), "
            "10.0 (21/09/26 14:11:00)] were greater than the threshold (5.0).",
        ),
        (
            {"DatapointsToAlarm": 2},
            "X 0 X",
            "Threshold Crossed: 2 out of the last 3 datapoints [10.0 (21/09/26 14:13:00), 10.0 "
            "(21/09/26 14:11:00)] were greater than the threshold (5.0) (minimum 2 datapoints for "
            "OK -> ALARM transition).",
        ),
        (
            {"TreatMissingData": "breaching"},
            "- - -",
            "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints "
            "were treated as [Breaching].",
        ),
        ({}, "- - -", "Insufficient Data: 3 datapoints were unknown."),
    ],
)
def test_reasons_are_in_the_words_of_aws(more: dict[str, Any], points: str, reason: str) -> None:
    # Recorded in notifications that people published, e.g.
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
    verdict = judge(settings(**more), window(points), "OK", NOW)
    assert verdict is not None
    assert verdict.reason == reason
    told = json.loads(verdict.reason_data)
    assert (told["version"], told["period"], told["threshold"]) == ("1.0", 60, 5.0)


def test_a_window_ends_with_the_last_whole_minute() -> None:
    assert window_end(119.9, 60) == 60
    assert window_end(125.0, 300) == 120
    assert window_end(125.0, 10) == 120
    assert window_end(139.0, 30) == 130
