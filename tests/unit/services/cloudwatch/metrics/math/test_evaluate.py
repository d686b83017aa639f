"""Expressions of metric math, by AWS's examples and by their edges."""

from __future__ import annotations

import pytest

from cumulet.services.cloudwatch.metrics.math import (
    MathError,
    Series,
    Shelf,
    evaluate_expression,
    parse_expression,
)

SHELF = Shelf(
    {
        "m1": Series({0: 1.0, 60: 2.0, 120: 4.0}, 60, "one"),
        "m2": Series({60: 2.0, 120: 0.0}, 60, "two"),
        "errors": Series({0: 5.0}, 60, "errors"),
    },
    ("m1", "m2", "errors"),
    0,
    180,
    60,
)


def points(text: str) -> dict[int, float]:
    found = evaluate_expression(parse_expression(text), SHELF)
    assert isinstance(found, Series)
    return dict(found.points)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m1 * 100", {0: 100, 60: 200, 120: 400}),
        ("m1 + m2", {60: 4, 120: 4}),
        ("m1 / m2", {60: 1}),
        ("-m1 ^ 2 + 1", {0: 0, 60: -3, 120: -15}),
        ("m1 > 1 AND m1 < 4", {0: 0, 60: 1, 120: 0}),
        ("m1 == 1 || m1 == 4", {0: 1, 60: 0, 120: 1}),
        ("SUM(METRICS())", {0: 6, 60: 4, 120: 4}),
        ('AVG(METRICS("m"))', {0: 1, 60: 2, 120: 2}),
        ("MAX([m1, m2])", {0: 1, 60: 2, 120: 4}),
        ("m1 - MIN(m1)", {0: 0, 60: 1, 120: 3}),
        ("FILL(m2, 7)", {0: 7, 60: 2, 120: 0}),
        ("FILL(errors, REPEAT)", {0: 5, 60: 5, 120: 5}),
        ("FILL(errors, LINEAR)", {0: 5}),
        ("IF(m1 > 1, m1, 0)", {0: 0, 60: 2, 120: 4}),
        ("IF(m1 > 1, m1)", {60: 2, 120: 4}),
        ("RATE(m1) * PERIOD(m1)", {60: 1, 120: 2}),
        ("DIFF(m1)", {60: 1, 120: 2}),
        ("RUNNING_SUM(m1)", {0: 1, 60: 3, 120: 7}),
        ("TIME_SERIES(METRIC_COUNT(METRICS()))", {0: 3, 60: 3, 120: 3}),
        ("FIRST(SORT(METRICS(), SUM, DESC))", {0: 1, 60: 2, 120: 4}),
        ("LOG10(m2 * 50)", {60: 2}),
        ("MINUTE(m1)", {0: 0, 60: 1, 120: 2}),
    ],
)
def test_an_expression_has_its_values(text: str, expected: dict[int, float]) -> None:
    assert points(text) == pytest.approx(expected)


def test_a_list_gives_a_series_for_each() -> None:
    found = evaluate_expression(parse_expression("METRICS() * 2"), SHELF)
    assert isinstance(found, list)
    assert [dict(one.points) for one in found][1:] == [{60: 4.0, 120: 0.0}, {0: 10.0}]


@pytest.mark.parametrize(
    "text",
    [
        "m1 +",
        "(m1",
        "m9 * 2",
        "NOTHING(m1)",
        "SEARCH('{AWS/Lambda}', 'Sum', 60)",
        "ANOMALY_DETECTION_BAND(m1)",
        "m1 + 'text'",
        "FILL(m1)",
        "1 / 0",
        "FIRST(REMOVE_EMPTY([]))",
        "m1 $ m2",
        "(" * 60 + "m1" + ")" * 60,
        "-" * 60 + "m1",
        "m1 " + "+ m1" * 600,
    ],
)
def test_what_has_no_value_is_refused(text: str) -> None:
    with pytest.raises(MathError):
        evaluate_expression(parse_expression(text), SHELF)
