"""Rules of composite alarms.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-combining.html
"""

from __future__ import annotations

import pytest

from cumulet.services.cloudwatch.alarms.rules import RuleError, alarms_in, holds, parse_rule

STATES = {"a": "ALARM", "b": "OK", "with space": "ALARM", "u": "INSUFFICIENT_DATA"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ALARM(a)", True),
        ("ALARM(b)", False),
        ("OK(b) AND ALARM(a)", True),
        ("ALARM(b) OR ALARM(a) AND OK(a)", False),
        ("(ALARM(b) OR ALARM(a)) AND NOT OK(a)", True),
        ('ALARM("with space")', True),
        ("INSUFFICIENT_DATA(u)", True),
        ("INSUFFICIENT_DATA(gone)", True),
        ("ALARM(arn:aws:cloudwatch:us-east-1:123456789012:alarm:a)", True),
        ("TRUE", True),
        ("NOT TRUE OR FALSE", False),
        ("AT_LEAST(2, ALARM, (a, b, 'with space'))", True),
        ("AT_LEAST(100%, ALARM, (a, b))", False),
        ("AT_LEAST(1, NOT ALARM, (a, b))", True),
    ],
)
def test_a_rule_holds_or_not(text: str, expected: bool) -> None:
    assert holds(parse_rule(text), STATES) is expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "ALARM(a",
        "ALARM()",
        "ALARM(a) ALARM(b)",
        "ALARM(a) AND",
        "AT_LEAST(3, ALARM, (a, b))",
        "AT_LEAST(0%, ALARM, (a))",
        "AT_LEAST(1, BROKEN, (a))",
        "NOT " * 30 + "ALARM(a)",
        " OR ".join(f"ALARM(a{n})" for n in range(101)),
        "TRUE " + "OR TRUE " * 1_200,
    ],
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(RuleError):
        parse_rule(text)


def test_the_alarms_of_a_rule_are_named_once() -> None:
    assert alarms_in(parse_rule("ALARM(a) OR OK(a) AND NOT ALARM(b)")) == ("a", "b")
