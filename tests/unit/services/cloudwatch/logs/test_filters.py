"""Filter patterns.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.services.cloudwatch.logs.filters import parse_filter

MESSAGE = "[ERROR 400] BAD REQUEST from 10.0.0.1"
RECORD = (
    '{"eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111", "errorCode": 404,'
    ' "latency": 12.5, "ok": true, "none": null, "users": [{"name": "a"}, {"name": "b"}]}'
)
COLUMNS = '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("", True),
        ("ERROR", True),
        ("error", False),
        ("ERROR REQUEST", True),
        ("ERROR MISSING", False),
        ("?MISSING ?ERROR", True),
        ("?MISSING ?ABSENT", False),
        ("ERROR -REQUEST", False),
        ("-MISSING", True),
        ('"BAD REQUEST"', True),
        ('"REQUEST BAD"', False),
        (r"%10\.0\.0\.[0-9]%", True),
        (r"%^BAD%", False),
    ],
)
def test_text_patterns(pattern: str, matches: bool) -> None:
    assert parse_filter(pattern)(MESSAGE) is matches


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ('{ $.eventType = "UpdateTrail" }', True),
        ('{ $.eventType = "Update*" }', True),
        ('{ $.eventType != "UpdateTrail" }', False),
        ("{ $.errorCode = 404 }", True),
        ("{ $.errorCode >= 400 && $.errorCode < 500 }", True),
        ("{ $.latency > 12.5 }", False),
        ("{ $.latency >= 1.25e1 }", True),
        ("{ $.ok IS TRUE }", True),
        ("{ $.ok IS FALSE }", False),
        ("{ $.none IS NULL }", True),
        ("{ $.missing NOT EXISTS }", True),
        ("{ $.ok NOT EXISTS }", False),
        ('{ $.users[1].name = "b" }', True),
        ('{ $.users[*].name = "b" }', True),
        ('{ $.users[2].name = "b" }', False),
        ('{ ($.errorCode = 1) || ($.eventType = "UpdateTrail" && $.ok IS TRUE) }', True),
        ('{ $.sourceIPAddress != "123.123.*" }', True),
        (r"{ $.sourceIPAddress = %111\.[0-9]% }", True),
    ],
)
def test_json_patterns(pattern: str, matches: bool) -> None:
    assert parse_filter(pattern)(RECORD) is matches


def test_a_json_pattern_never_matches_a_message_that_is_not_json() -> None:
    assert parse_filter("{ $.a NOT EXISTS }")(MESSAGE) is False


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("[ip, stage, user, time, request, status = 404, bytes]", True),
        ("[ip, stage, user, time, request, status = 4*, bytes > 1500]", True),
        ("[ip, stage, user, time, request, status = 2*, bytes]", False),
        ("[..., status = 404, bytes]", True),
        ("[ip = 127.0.0.1, ...]", True),
        ("[ip, stage]", False),
        ("[..., request = *index*, status = 404 || status = 500, bytes]", True),
    ],
)
def test_column_patterns(pattern: str, matches: bool) -> None:
    assert parse_filter(pattern)(COLUMNS) is matches


@pytest.mark.parametrize(
    "pattern",
    [
        "{ $.a = }",
        "{ a = 1 }",
        "{ $.a = 1",
        "{ $.a = 1 && }",
        "{ $.a IS MAYBE }",
        "[a, b",
        "{ " + "(" * 40 + "$.a = 1" + ")" * 40 + " }",
        "%(a+)+b%",
        '"unclosed',
    ],
)
def test_what_is_not_a_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse_filter(pattern)


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_a_pattern_or_refused_and_never_breaks(pattern: str, message: str) -> None:
    try:
        matches = parse_filter(pattern)
    except ValueError:
        return
    assert matches(message) in (True, False)
