"""Queries of Logs Insights on a few events.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""

from __future__ import annotations

import json

import pytest

from cumulet.services.cloudwatch.logs.insights.commands import parse_query
from cumulet.services.cloudwatch.logs.insights.rows import EventRow
from cumulet.services.cloudwatch.logs.insights.running import Running
from cumulet.services.cloudwatch.logs.insights.words import QueryError
from cumulet.services.cloudwatch.model import Event

START = 1_790_000_000_000
REPORT = (
    "REPORT RequestId: 6bc28136-35b6-4b21-b1a5-9e5a1f9e0001\tDuration: 12.50 ms\t"
    "Billed Duration: 13 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\t"
    "Init Duration: 101.25 ms\t"
)
MESSAGES = [
    json.dumps({"level": "info", "took": 10, "path": "/a", "user": {"id": "u1"}}),
    json.dumps({"level": "error", "took": 30, "path": "/b", "user": {"id": "u2"}}),
    json.dumps({"level": "error", "took": 20, "path": "/a", "tags": ["x", "y"]}),
    "GET /index.html took 7 ms",
    REPORT,
]


def ask(query: str, limit: int = 10_000) -> list[dict[str, str]]:
    running = Running(parse_query(query), limit)
    for number, message in reversed(list(enumerate(MESSAGES))):
        event = Event("g", START + number * 60_000, number, "s", "stream", message, START)
        if running.is_full:
            break
        running.add(EventRow(event, "123456789012:group"))
    found = running.answers()
    for row in found:
        row.pop("@ptr", None)
    return found


def column(query: str, name: str) -> list[str | None]:
    return [row.get(name) for row in ask(query)]


def test_the_newest_come_first_with_time_and_text() -> None:
    found = ask("limit 2")
    assert found[0] == {"@timestamp": "2026-09-21 14:17:20.000", "@message": REPORT}
    assert len(found) == 2


@pytest.mark.parametrize(
    ("test", "count"),
    [
        ("level = 'error'", 2),
        ('level = "error" and took > 25', 1),
        ("took >= 20", 2),
        ("level = 'info' or path = '/b'", 2),
        ("not level = 'error'", 3),
        ("level != 'error'", 3),
        ("@message like /took \\d+ ms/", 1),
        ("@message like 'index'", 1),
        ("@message not like /level/", 2),
        ("@message =~ /(?i)REPORT/", 1),
        ("level in ['info', 'warn']", 1),
        ("took not in [10, 20]", 3),
        ("ispresent(user.id)", 2),
        ("tags.1 = 'y'", 1),
        ("`user.id` = 'u1'", 1),
        ("(took + 5) * 2 = 70", 1),
        ("strlen(path) = 2 and abs(took - 15) < 10", 2),
        ("@type = 'REPORT'", 1),
    ],
)
def test_a_filter_keeps_what_it_says(test: str, count: int) -> None:
    assert len(ask(f"filter {test}")) == count


def test_fields_are_made_shown_and_named() -> None:
    found = ask("fields toupper(level) as upper, took / 10 | filter took = 10")
    assert found == [{"upper": "INFO", "took / 10": "1"}]
    found = ask("fields @message | filter took = 30 | display level, user.id as id")
    assert found == [{"level": "error", "id": "u2"}]


def test_figures_by_group_are_sorted() -> None:
    query = """
    # what took how long
    filter ispresent(took)
    | stats count(*), sum(took) as total, avg(took), max(took), min(took) by level
    | sort total desc
    """
    assert ask(query) == [
        {
            "level": "error",
            "count(*)": "2",
            "total": "50",
            "avg(took)": "25",
            "max(took)": "30",
            "min(took)": "20",
        },
        {
            "level": "info",
            "count(*)": "1",
            "total": "10",
            "avg(took)": "10",
            "max(took)": "10",
            "min(took)": "10",
        },
    ]
    assert column("stats count(*) by level | sort count(*) asc", "level") == ["info", None, "error"]


def test_percentiles_and_distinct_values() -> None:
    (found,) = ask("stats pct(took, 50), median(took), count_distinct(path), stddev(took)")
    assert found == {
        "pct(took, 50)": "20",
        "median(took)": "20",
        "count_distinct(path)": "2",
        "stddev(took)": "8.165",
    }


def test_bins_of_time_are_times() -> None:
    assert ask("stats count(*) as n by bin(2m) as at | sort at asc") == [
        {"at": "2026-09-21 14:12:00.000", "n": "1"},
        {"at": "2026-09-21 14:14:00.000", "n": "2"},
        {"at": "2026-09-21 14:16:00.000", "n": "2"},
    ]


def test_texts_are_taken_apart_by_wildcards_and_by_patterns() -> None:
    query = 'parse @message "GET * took * ms" as page, ms | filter ispresent(ms) | display page, ms'
    assert ask(query) == [{"page": "/index.html", "ms": "7"}]
    query = "parse @message /took (?<ms>\\d+) ms/ | filter ms > 5 | display ms"
    assert ask(query) == [{"ms": "7"}]
    assert column('parse path "/*" as rest | stats count(*) by rest | sort rest desc', "rest") == [
        "b",
        "a",
        None,
    ]


def test_a_function_s_own_lines_have_figures() -> None:
    query = "filter @type = 'REPORT' | fields @duration, @billedDuration, @initDuration, "
    assert ask(query + "@maxMemoryUsed / 1000 / 1000 as mb, @requestId") == [
        {
            "@duration": "12.5",
            "@billedDuration": "13",
            "@initDuration": "101.25",
            "mb": "40",
            "@requestId": "6bc28136-35b6-4b21-b1a5-9e5a1f9e0001",
        }
    ]


def test_duplicates_are_left_out_and_rows_sorted() -> None:
    assert column("filter ispresent(took) | sort took asc | display took", "took") == [
        "10",
        "20",
        "30",
    ]
    assert column("filter ispresent(path) | dedup path | display path", "path") == ["/a", "/b"]
    assert column("fields took | sort took desc | limit 1", "took") == ["30"]
    assert len(ask("fields @message", limit=3)) == 3


@pytest.mark.parametrize(
    "query",
    [
        "",
        "nonsense",
        "fields",
        "filter level =",
        "filter (level = 'a'",
        "filter level like /(/",
        "stats sum(*)",
        "stats nothing(took)",
        "stats pct(took, 200)",
        "parse @message 'no wildcard' as a",
        "parse @message 'a * b *' as a",
        "parse @message /no group/",
        "sort took sideways",
        "limit 0",
        "limit 10001",
        "fields unknown(took)",
        "fields bin(5)",
        "filter " + "not " * 100 + "a",
        "filter " + "(" * 100 + "a",
        "filter a like /x{5000}/",
        "fields a | | limit 1",
    ],
)
def test_what_is_no_query_is_refused(query: str) -> None:
    with pytest.raises(QueryError):
        parse_query(query)


def test_a_pattern_that_goes_back_for_ever_is_ended() -> None:
    running = Running(parse_query("filter @message like /^(a|aa)+$/"))
    event = Event("g", START, 0, "s", "s", "a" * 200 + "b", START)
    with pytest.raises(QueryError, match="took too long"):
        running.add(EventRow(event, "g"))
