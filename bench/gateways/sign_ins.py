"""What a storm of sign-ins takes from everybody else: reads of a table, alone and within it."""

from __future__ import annotations

import json
import threading

import boto3

from bench.clouds import Server, ours, unpin_children
from bench.load import Rate, measure
from bench.report import missed, ratio, show
from bench.requests import plain, signed

READERS = 16
STORM = 64
STORM_SECONDS = 9.0
"""From before the reading begins until after it has ended."""

TABLE = "bench"
PASSWORD = "Correct-Horse-7"
SHARE_MIN = 0.5
"""Of the readers' answers a second, how many are left in the storm, at least."""

LATENCY_MAX = 4.0
"""How many times as long a read takes in the storm, at most: half of them, and 99 of 100."""


def prepare(server: Server) -> tuple[bytes, bytes]:
    """A table with one item, a pool with one user; the read and the sign-in as requests."""
    session = boto3.Session(*server.key, region_name="us-east-1")
    table = session.client("dynamodb", endpoint_url=server.endpoint)
    table.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    table.put_item(TableName=TABLE, Item={"id": {"S": "one"}, "text": {"S": "x" * 200}})
    pools = session.client("cognito-idp", endpoint_url=server.endpoint)
    pool = pools.create_user_pool(PoolName="bench")["UserPool"]["Id"]
    client = pools.create_user_pool_client(
        UserPoolId=pool, ClientName="bench", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]
    pools.admin_create_user(UserPoolId=pool, Username="ann", MessageAction="SUPPRESS")
    pools.admin_set_user_password(
        UserPoolId=pool, Username="ann", Password=PASSWORD, Permanent=True
    )
    return read(server), sign_in(server, client)


def read(server: Server) -> bytes:
    body = json.dumps({"TableName": TABLE, "Key": {"id": {"S": "one"}}}).encode()
    headers = {
        "X-Amz-Target": "DynamoDB_20120810.GetItem",
        "Content-Type": "application/x-amz-json-1.0",
    }
    return signed(server.endpoint, server.key, "dynamodb", "POST", "/", body, headers)


def sign_in(server: Server, client: str) -> bytes:
    body = {
        "ClientId": client,
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": "ann", "PASSWORD": PASSWORD},
    }
    headers = {
        "X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth",
        "Content-Type": "application/x-amz-json-1.1",
    }
    return plain(server.endpoint, "POST", "/", json.dumps(body).encode(), headers)


def within(server: Server, storm: bytes, request: bytes) -> tuple[Rate, Rate]:
    """The readers' rate within the storm, and the storm's own."""
    found: list[Rate] = []

    def rage() -> None:
        found.append(measure(server.endpoint, storm, connections=STORM, seconds=STORM_SECONDS))

    # The process that checks passwords starts with the first of them.
    measure(server.endpoint, storm, connections=1, seconds=0.5)
    unpin_children(server.process.pid)
    thread = threading.Thread(target=rage)
    thread.start()
    calm = server.measure(request, READERS)
    thread.join()
    return calm, found[0]


def run() -> None:
    with ours() as server:
        request, storm = prepare(server)
        alone = server.measure(request, READERS)
        stormy, sign_ins = within(server, storm, request)
    rows = [
        (name, rate.per_second, ratio(rate.per_second, alone.per_second), rate.p50_ms,
         ratio(rate.p50_ms, alone.p50_ms), rate.p99_ms, ratio(rate.p99_ms, alone.p99_ms),
         rate.failed)
        for name, rate in (("alone", alone), ("in the storm", stormy))
    ]  # fmt: skip
    show(
        f"GetItem, {READERS} connections, while {STORM} others sign in without end",
        ("readers", "per s", "of alone", "p50 ms", "of alone", "p99 ms", "of alone", "failed"),
        rows,
        f"{sign_ins.per_second:.0f} sign-ins a second, {sign_ins.failed} refused, half of them "
        f"within {sign_ins.p50_ms:.0f} ms; aims: {SHARE_MIN}× the reads, {LATENCY_MAX:.0f}× their "
        "time",
    )
    missed("reads in the storm", stormy.per_second / alone.per_second, at_least=SHARE_MIN)
    missed("p50 in the storm", stormy.p50_ms / alone.p50_ms, at_most=LATENCY_MAX)
    missed("p99 in the storm", stormy.p99_ms / alone.p99_ms, at_most=LATENCY_MAX)
