"""GetItem, Query of twenty items, PutItem and UpdateItem over 64 connections, on one core."""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocore.config import Config

from bench.clouds import Server, ours
from bench.report import missed, show
from bench.requests import signed

CONNECTIONS = 64
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
    for number in range(20):
        client.put_item(TableName=TABLE, Item=item("many", number))


def request_of(server: Server, operation: str) -> bytes:
    """A signed request of one operation."""
    body = json.dumps({"TableName": TABLE, **REQUESTS[operation]}).encode()
    headers = {
        "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        "Content-Type": "application/x-amz-json-1.0",
    }
    return signed(server.endpoint, server.key, "dynamodb", "POST", "/", body, headers)


def run() -> None:
    with ours() as server:
        prepare(server)
        found = {
            operation: server.measure(request_of(server, operation), CONNECTIONS)
            for operation in REQUESTS
        }
    rows = [
        (name, rate.per_cpu_second, rate.per_second, rate.p50_ms, rate.p99_ms, rate.failed)
        for name, rate in found.items()
    ]
    told = ", ".join(f"{name} {least:,}" for name, least in AIMS.items())
    show(
        "DynamoDB, 64 connections, one core, signatures verified, writes durable",
        ("operation", "per CPU s", "per s", "p50 ms", "p99 ms", "failed"),
        rows,
        f"aims for each second of the main process's processor: {told}",
    )
    for name, least in AIMS.items():
        missed(f"{name} per CPU second", found[name].per_cpu_second, at_least=least)
