import math
from datetime import UTC, datetime, timedelta, timezone
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.core.errors import MalformedRequest
from cumulet.wire.values.scalars import (
    format_blob,
    format_float,
    format_timestamp,
    number_of_seconds,
    parse_blob,
    parse_boolean,
    parse_float,
    parse_integer,
    parse_timestamp,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2015-01-25T08:00:00Z", 1422172800),
        ("2015-01-25T08:00:00.123Z", 1422172800.123),
        ("2015-01-25T08:00:00.123456Z", 1422172800.123456),
        ("2015-01-25T09:00:00+01:00", 1422172800),
        ("2015-01-25T03:00:00-0500", 1422172800),
        ("2015-01-25", 1422144000),
        ("Sun, 25 Jan 2015 08:00:00 GMT", 1422172800),
        ("Sun, 25 Jan 2015 08:00:00.500 GMT", 1422172800.5),
        ("Sun, 25 Jan 2015 09:00:00 +0100", 1422172800),
        ("25-JAN-2015 08:00:00 UTC", 1422172800),
        ("1422172800", 1422172800),
        ("1422172800.5", 1422172800.5),
        (1422172800, 1422172800),
        (1422172800.25, 1422172800.25),
        ("0001-01-01T00:00:00Z", -62135596800),
    ],
)
def test_times_are_read_in_every_form(text, seconds):
    assert parse_timestamp(text) == seconds


@pytest.mark.parametrize(
    "value",
    [
        "",
        "now",
        "2015-13-01",
        "2015-01-25T25:00:00Z",
        "1e999",
        "Sun, 99 Jan 2015",
        "Sun, 25 Jan 999999999 08:00:00 GMT",
        "٢٠١٥-01-25",
        True,
        1e300,
        math.nan,
        math.inf,
    ],
)
def test_what_is_no_time_is_refused(value):
    with pytest.raises(MalformedRequest):
        parse_timestamp(value)


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (0, "iso8601", "1970-01-01T00:00:00Z"),
        (1422172800.5, "iso8601", "2015-01-25T08:00:00.500Z"),
        (1422172799.9999, "iso8601", "2015-01-25T08:00:00Z"),
        (1422172800, "rfc822", "Sun, 25 Jan 2015 08:00:00 GMT"),
        (1422172800.0, "unixTimestamp", "1422172800"),
        (1422172800.5, "unixTimestamp", "1422172800.5"),
        (datetime(2015, 1, 25, 8, tzinfo=UTC), "iso8601", "2015-01-25T08:00:00Z"),
        (datetime(2015, 1, 25, 8), "iso8601", "2015-01-25T08:00:00Z"),
        (
            datetime(2015, 1, 25, 9, tzinfo=timezone(timedelta(hours=1))),
            "rfc822",
            "Sun, 25 Jan 2015 08:00:00 GMT",
        ),
    ],
)
def test_times_are_told_in_every_form(value, form, text):
    assert format_timestamp(value, form) == text


@given(st.integers(-62135596800000, 253402300799999))
def test_milliseconds_survive_text(millis):
    assert round(parse_timestamp(format_timestamp(millis / 1000, "iso8601")) * 1000) == millis


@given(st.integers(-62135596800, 253402300799))
def test_dates_of_headers_are_as_the_standard_library_tells_them(seconds):
    assert format_timestamp(seconds, "rfc822") == formatdate(seconds, usegmt=True)
    assert parse_timestamp(formatdate(seconds, usegmt=True)) == seconds


def test_whole_seconds_are_whole_numbers():
    assert type(number_of_seconds(5.0)) is int
    assert number_of_seconds(0.1 + 0.2) == 0.3


@pytest.mark.parametrize(("text", "value"), [("true", True), ("FALSE", False), ("True", True)])
def test_booleans(text, value):
    assert parse_boolean(text) is value


@pytest.mark.parametrize("text", ["", "1", "yes"])
def test_bad_booleans(text):
    with pytest.raises(MalformedRequest):
        parse_boolean(text)


@pytest.mark.parametrize("text", ["", "1.0", "x", "9" * 19, "9" * 5000, "٣", "1_0", " 1"])
def test_bad_integers(text):
    with pytest.raises(MalformedRequest):
        parse_integer(text)
    assert parse_integer("-12") == -12


def test_floats():
    assert parse_float("1.5e3") == 1500
    assert math.isnan(parse_float("NaN"))
    assert parse_float("-Infinity") == -math.inf
    assert [format_float(value) for value in (1.5, math.inf, -math.inf)] == [
        "1.5",
        "Infinity",
        "-Infinity",
    ]
    assert format_float(math.nan) == "NaN"


@pytest.mark.parametrize("text", ["", "inf", "nan", "0x1", "1e", "1e99999", "_1"])
def test_bad_floats(text):
    with pytest.raises(MalformedRequest):
        parse_float(text)


@given(st.binary(max_size=50))
def test_blobs_survive_text(content):
    assert parse_blob(format_blob(content)) == content


def test_blobs_may_be_broken_over_lines():
    assert parse_blob("YWJj\nZGVm") == b"abcdef"
    assert format_blob("é") == "w6k="


@pytest.mark.parametrize("text", ["a", "****", "YQ=", "é"])
def test_bad_blobs(text):
    with pytest.raises(MalformedRequest):
        parse_blob(text)
