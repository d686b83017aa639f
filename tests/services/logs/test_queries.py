"""Logs Insights over the wire: queries started, asked for and stopped; those kept under names.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html
"""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Cloud


@pytest.fixture
def logs(cloud: Cloud) -> Any:
    return cloud.client("logs")


def filled(logs: Any, count: int = 30) -> str:
    name = f"queries-{uuid.uuid4().hex[:10]}"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    now = int(time.time() * 1000)
    events = [
        {"timestamp": now - count + n, "message": json.dumps({"n": n, "kind": n % 3})}
        for n in range(count)
    ]
    logs.put_log_events(logGroupName=name, logStreamName="s", logEvents=events)
    return name


def asked(logs: Any, query: str, **words: Any) -> dict[str, Any]:
    now = int(time.time())
    uid = logs.start_query(startTime=now - 600, endTime=now + 60, queryString=query, **words)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        answer: dict[str, Any] = logs.get_query_results(queryId=uid["queryId"])
        if answer["status"] not in ("Scheduled", "Running"):
            return {**answer, "queryId": uid["queryId"]}
    raise AssertionError("the query does not end")


def refused(call: Any, **words: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**words)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_query_counts_over_several_groups(logs: Any) -> None:
    groups = [filled(logs), filled(logs)]
    query = "filter n >= 10 | stats count(*) as many, max(n) by kind, @log | sort kind, @log asc"
    answer = asked(logs, query, logGroupNames=groups)
    assert answer["status"] == "Complete"
    assert answer["statistics"]["recordsScanned"] == 60.0
    assert answer["statistics"]["recordsMatched"] == 40.0
    rows = [{one["field"]: one["value"] for one in row} for row in answer["results"]]
    assert len(rows) == 6
    assert {row["@log"] for row in rows} == {f"000000000000:{one}" for one in groups}
    assert {row["many"] for row in rows} == {"6", "7"}


def test_events_come_with_pointers_and_in_pages(logs: Any) -> None:
    group = filled(logs)
    answer = asked(logs, "fields @timestamp, n | limit 5", logGroupName=group)
    rows = [{one["field"]: one["value"] for one in row} for row in answer["results"]]
    assert [row["n"] for row in rows] == ["29", "28", "27", "26", "25"]
    assert all(row["@ptr"] for row in rows)
    page = logs.get_query_results(queryId=answer["queryId"], maxItems=3)
    assert len(page["results"]) == 3
    rest = logs.get_query_results(
        queryId=answer["queryId"], maxItems=3, nextToken=page["nextToken"]
    )
    assert len(rest["results"]) == 2
    assert "nextToken" not in rest
    queries = logs.describe_queries(logGroupName=group, status="Complete")["queries"]
    assert [one["queryId"] for one in queries] == [answer["queryId"]]
    code, _ = refused(logs.stop_query, queryId=answer["queryId"])
    assert code == "InvalidParameterException"


def test_a_query_that_takes_too_long_to_match_fails(logs: Any) -> None:
    group = filled(logs, 1)
    logs.put_log_events(
        logGroupName=group,
        logStreamName="s",
        logEvents=[{"timestamp": int(time.time() * 1000), "message": "a" * 200 + "b"}],
    )
    answer = asked(logs, "filter @message like /^(a|aa)+$/", logGroupName=group)
    assert (answer["status"], answer["results"]) == ("Failed", [])


def test_what_does_not_hold_is_refused(logs: Any) -> None:
    now, group = int(time.time()), filled(logs, 1)
    words = {"startTime": now - 60, "endTime": now, "logGroupName": group}
    code, said = refused(logs.start_query, **words, queryString="fields @message | explode")
    assert (code, said) == (
        "MalformedQueryException",
        "unexpected symbol found 'explode' at line 1 and position 18",
    )
    code, _ = refused(logs.start_query, **words, queryString="fields a", queryLanguage="SQL")
    assert code == "InvalidParameterException"
    code, _ = refused(logs.start_query, **{**words, "logGroupName": "gone"}, queryString="fields a")
    assert code == "ResourceNotFoundException"
    both = {**words, "logGroupNames": [group]}
    code, _ = refused(logs.start_query, **both, queryString="fields a")
    assert code == "InvalidParameterException"
    code, _ = refused(logs.get_query_results, queryId="gone")
    assert code == "ResourceNotFoundException"


def test_queries_are_kept_under_names(logs: Any) -> None:
    prefix = f"kept-{uuid.uuid4().hex[:10]}"
    words = {"queryString": "fields @message", "logGroupNames": ["g"]}
    ids = [
        logs.put_query_definition(name=f"{prefix}-{n}", **words)["queryDefinitionId"]
        for n in range(3)
    ]
    logs.put_query_definition(name=f"{prefix}-1", queryString="limit 1", queryDefinitionId=ids[1])
    page = logs.describe_query_definitions(queryDefinitionNamePrefix=prefix, maxResults=2)
    rest = logs.describe_query_definitions(
        queryDefinitionNamePrefix=prefix, maxResults=2, nextToken=page["nextToken"]
    )
    found = page["queryDefinitions"] + rest["queryDefinitions"]
    assert [one["queryDefinitionId"] for one in found] == ids
    texts = [one["queryString"] for one in found]
    assert texts == ["fields @message", "limit 1", "fields @message"]
    assert logs.delete_query_definition(queryDefinitionId=ids[0])["success"] is True
    code, _ = refused(logs.delete_query_definition, queryDefinitionId=ids[0])
    assert code == "ResourceNotFoundException"
