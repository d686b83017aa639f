"""A hundred clients increment, lock and transact over the same items, with kill -9 in the middle.

`make storm` lets them go on for a minute; a usual test run takes some seconds.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from tests.journeys.crowd import ACCOUNTS, COUNTERS, EACH, LOCKS, TABLE, Crowd, drive

CLIENTS = int(os.environ.get("CUMULET_CROWD_CLIENTS", "100"))
SECONDS = float(os.environ.get("CUMULET_CROWD_SECONDS", "8"))
SEED = int(os.environ.get("CUMULET_CROWD_SEED", "20260101"))
KILLS = max(1, round(SECONDS / 20))
SCAN_PAGE = 200

Item = dict[str, Any]


def scan(client: Any, **more: Any) -> list[Item]:
    pages = client.get_paginator("scan").paginate(
        TableName=TABLE, PaginationConfig={"PageSize": SCAN_PAGE}, **more
    )
    return [item for page in pages for item in page["Items"]]


def numbers_are_whole(told: Sequence[int], last: int, unsure: int) -> None:
    """Nobody was told a number twice, and none is missing that was not cut off."""
    assert len(set(told)) == len(told), Counter(told).most_common(3)
    assert set(told) <= set(range(1, last + 1)), (sorted(told)[-3:], last)
    assert last - len(told) <= unsure, (last, len(told), unsure)


def counters_are_exact(crowd: Crowd, items: dict[str, Item]) -> None:
    for number in range(COUNTERS):
        name = f"counter-{number}"
        last = int(items[name]["hits"]["N"]) if name in items else 0
        numbers_are_whole(crowd.counted[name], last, crowd.unsure[name])
    for number in range(LOCKS):
        name = f"lock-{number}"
        last = int(items[name]["version"]["N"])
        numbers_are_whole(crowd.won[name], last, crowd.unsure[name])


def accounts_are_right(crowd: Crowd, items: dict[str, Item]) -> None:
    """Each balance is what the notes say, and each note is of an answered transaction."""
    notes = {name: item for name, item in items.items() if name.startswith("note-")}
    assert set(notes) == crowd.moved
    balances = {f"account-{number}": EACH for number in range(ACCOUNTS)}
    for note in notes.values():
        amount = int(note["version"]["N"])
        balances[note["owner"]["S"]] -= amount
        balances[note["taker"]["S"]] += amount
    assert balances == {name: int(items[name]["balance"]["N"]) for name in balances}
    assert sum(balances.values()) == ACCOUNTS * EACH


def index_is_the_table(client: Any, items: dict[str, Item]) -> None:
    expected = {name: item for name, item in items.items() if "owner" in item}
    found = scan(client, IndexName="by-owner")
    assert len(found) == len(expected)
    assert {item["id"]["S"]: item for item in found} == expected
    for owner in {item["owner"]["S"] for item in expected.values()}:
        asked = {
            "TableName": TABLE,
            "IndexName": "by-owner",
            "KeyConditionExpression": "#owner = :owner",
            "ExpressionAttributeNames": {"#owner": "owner"},
            "ExpressionAttributeValues": {":owner": {"S": owner}},
        }
        pages = client.get_paginator("query").paginate(**asked)
        rows = [row for page in pages for row in page["Items"]]
        versions = [int(row["version"]["N"]) for row in rows]
        assert versions == sorted(versions)
        assert {row["id"]["S"] for row in rows} == {
            name for name, item in expected.items() if item["owner"]["S"] == owner
        }


def records_of(streams: Any) -> list[Any]:
    """All records of the table's stream, shard after shard."""
    [stream] = streams.list_streams(TableName=TABLE)["Streams"]
    where = {"StreamArn": stream["StreamArn"]}
    found = []
    for shard in streams.describe_stream(**where)["StreamDescription"]["Shards"]:
        iterator = streams.get_shard_iterator(
            **where, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while iterator:
            page = streams.get_records(ShardIterator=iterator)
            found += page["Records"]
            iterator = page.get("NextShardIterator") if page["Records"] else None
    return found


def stream_tells_it_all(records: list[Any], items: dict[str, Item]) -> None:
    """Each change follows on the one before, and together they make the table."""
    replayed: dict[str, Item] = {}
    sequence = [record["dynamodb"]["SequenceNumber"] for record in records]
    assert len(set(sequence)) == len(sequence)
    for record in records:
        told = record["dynamodb"]
        name = told["Keys"]["id"]["S"]
        assert told.get("OldImage") == replayed.get(name), name
        assert record["eventName"] == ("MODIFY" if name in replayed else "INSERT")
        replayed[name] = told["NewImage"]
    assert replayed == items


def test_a_hundred_clients_leave_the_table_exact_when_it_is_killed(
    new_cloud: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = new_cloud()
    crowd = Crowd(cloud, CLIENTS, SEED)
    crowd.prepare()
    restarts = drive(crowd, SECONDS, KILLS)
    items = {item["id"]["S"]: item for item in scan(crowd.client)}
    counters_are_exact(crowd, items)
    accounts_are_right(crowd, items)
    index_is_the_table(crowd.client, items)
    records = records_of(cloud.client("dynamodbstreams"))
    stream_tells_it_all(records, items)
    assert cloud.stop() == 0
    words = [sys.executable, "-m", "cumulet", "check", "--data", str(cloud.data)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(crowd.answered[kind] for kind in ("count", "lock", "move", "look"))
    with capsys.disabled():
        counts = ", ".join(f"{kind} {number:,}" for kind, number in sorted(crowd.answered.items()))
        print(
            f"\ncrowd: {CLIENTS} clients for {SECONDS:.0f} s, {KILLS} kills, {counts}; "
            f"unsure {crowd.unsure.total()}; {len(records):,} records; up in {max(restarts):.1f} s"
        )


@pytest.mark.parametrize(
    ("told", "last", "unsure"),
    [([1, 2, 2], 3, 9), ([1, 2, 4], 3, 9), ([1, 3], 3, 0)],
    ids=["twice", "out of nothing", "lost"],
)
def test_the_crowd_would_notice(told: list[int], last: int, unsure: int) -> None:
    with pytest.raises(AssertionError):
        numbers_are_whole(told, last, unsure)


def test_the_crowd_takes_what_may_be() -> None:
    numbers_are_whole([3, 1], 3, 1)
