"""GetItem, Query of 20 items, PutItem and UpdateItem over 64 connections, beside the peers."""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocore.config import Config

from bench.clouds import Server, ours
from bench.databases.peers import databases
from bench.load import Rate
from bench.report import missed, ratio, show
from bench.requests import signed

CONNECTIONS = 64
TURNS = 2
TABLE = "bench"
AIMS = {"GetItem": 12_000, "Query": 8_000, "PutItem": 7_000}
"""Answers for each second of the main process's processor; every write is on the disk first."""


def item(partition: str, number: int) -> dict[str, Any]:
    """An item of about 250 bytes."""
    texts = {f"text{place}": {"S": "v" * 20} for place in range(6)}
    return {
        "p": {"S": partition},
        "s": {"N": str(number)},
        **texts,
        "n1": {"N": "12345"},
        "n2": {"N": "1.5"},
    }


REQUESTS: dict[str, dict[str, Any]] = {
    "GetItem": {"Key": {"p": {"S": "many"}, "s": {"N": "3"}}},
    "Query": {
        "KeyConditionExpression": "p = :p",
        "ExpressionAttributeValues": {":p": {"S": "many"}},
    },
    "PutItem": {"Item": item("one", 1)},
    "UpdateItem": {
        "Key": {"p": {"S": "counter"}, "s": {"N": "0"}},
        "UpdateExpression": "SET hits = if_not_exists(hits, :zero) + :one",
        "ExpressionAttributeValues": {":zero": {"N": "0"}, ":one": {"N": "1"}},
    },
}


def prepare(server: Server) -> None:
    """A table with twenty items in one partition."""
    client = boto3.client(
        "dynamodb",
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=server.key[0],
        aws_secret_access_key=server.key[1],
        config=Config(retries={"total_max_attempts": 1}),
    )
    client.create_table(
        TableName=TABLE,
        KeySchema=[
            {"AttributeName": "p", "KeyType": "HASH"},
            {"AttributeName": "s", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "p", "AttributeType": "S"},
            {"AttributeName": "s", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    client.get_waiter("table_exists").wait(TableName=TABLE, WaiterConfig={"Delay": 1})
    for number in range(20):
        client.put_item(TableName=TABLE, Item=item("many", number))
    # What is compared does the same.
    if client.get_item(TableName=TABLE, **REQUESTS["GetItem"])["Item"] != item("many", 3):
        raise RuntimeError("it does not read what was written")
    if client.query(TableName=TABLE, **REQUESTS["Query"])["Count"] != 20:
        raise RuntimeError("it does not find twenty items")


def request_of(server: Server, operation: str) -> bytes:
    """A signed request of one operation."""
    body = json.dumps({"TableName": TABLE, **REQUESTS[operation]}).encode()
    headers = {
        "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        "Content-Type": "application/x-amz-json-1.0",
    }
    return signed(server.endpoint, server.key, "dynamodb", "POST", "/", body, headers)


def measured(server: Server) -> dict[str, Rate]:
    """Each operation's rate: of two turns the better, as others use the machine too.

    The first turn also warms what compiles itself while it runs.
    """
    prepare(server)
    found: dict[str, Rate] = {}
    for operation in REQUESTS:
        request = request_of(server, operation)
        turns = [server.measure(request, CONNECTIONS) for _ in range(TURNS)]
        found[operation] = max(turns, key=lambda rate: rate.per_cpu_second)
    return found


def compared() -> dict[str, dict[str, Rate]]:
    """The rates of each database that can be had, ours first."""
    found: dict[str, dict[str, Rate]] = {}
    for name, start in {"cumulet": ours, **databases()}.items():
        try:
            with start() as server:
                found[name] = measured(server)
        except Exception as problem:
            if name == "cumulet":
                raise
            print(f"  {name} could not do this work: {problem}")
    return found


def run() -> None:
    found = compared()
    own = found["cumulet"]
    rows = [
        (operation, name, rate.per_cpu_second,
         ratio(rate.per_cpu_second, own[operation].per_cpu_second), rate.per_second,
         rate.p50_ms, rate.p99_ms, rate.failed)
        for operation in REQUESTS
        for name, rates in found.items()
        for rate in (rates[operation],)
    ]  # fmt: skip
    told = ", ".join(f"{name} {least:,}" for name, least in AIMS.items())
    show(
        f"DynamoDB, {CONNECTIONS} connections, one core; ours verifies signatures and has every "
        "write on the disk when it answers; DynamoDB Local and dynalite write files, others none",
        ("operation", "database", "per CPU s", "of ours", "per s", "p50 ms", "p99 ms", "failed"),
        rows,
        f"aims for each second of the main process's processor: {told}",
    )
    for name, least in AIMS.items():
        missed(f"{name} per CPU second", own[name].per_cpu_second, at_least=least)
