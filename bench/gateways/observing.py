"""What metrics, logs, traces and costs take of the bare throughput."""

from __future__ import annotations

import json
import statistics

from bench.clouds import Server, ours
from bench.databases import dynamodb
from bench.functions import ACCOUNT, MAY_LOG, TRUST, client, make_api, make_function
from bench.load import Rate
from bench.report import missed, show
from bench.requests import plain

CONNECTIONS = 16
TURNS = 3
PART_MIN = 0.9
"""Of the bare rate, what must be left when everything is watched."""

FORMAT = (
    '{"requestId":"$context.requestId","ip":"$context.identity.sourceIp",'
    '"method":"$context.httpMethod","path":"$context.path","status":"$context.status",'
    '"latency":"$context.responseLatency"}'
)


def watched_api(server: Server) -> bytes:
    """A request to an API that logs each call, measures each method and traces by the rules."""
    function = make_function(server, logs=True)
    path = make_api(server, function)
    client(server, "lambda").update_function_configuration(
        FunctionName="bench", TracingConfig={"Mode": "Active"}
    )
    group = client(server, "logs")
    group.create_log_group(logGroupName="bench-access")
    gateway = client(server, "apigateway")
    iam = client(server, "iam")
    trust = json.dumps(TRUST).replace("lambda.amazonaws.com", "apigateway.amazonaws.com")
    role = iam.create_role(RoleName="gateway", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName="gateway", PolicyName="logs", PolicyDocument=json.dumps(MAY_LOG))
    gateway.update_account(
        patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}]
    )
    destination = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:bench-access"
    settings = {
        "/*/*/metrics/enabled": "true",
        "/tracingEnabled": "true",
        "/accessLogSettings/destinationArn": destination,
        "/accessLogSettings/format": FORMAT,
    }
    gateway.update_stage(
        restApiId=path.split("/")[2], stageName="prod",
        patchOperations=[
            {"op": "replace", "path": name, "value": value} for name, value in settings.items()
        ],
    )  # fmt: skip
    return plain(server.endpoint, "GET", path)


def bare_api(server: Server) -> bytes:
    return plain(server.endpoint, "GET", make_api(server, make_function(server)))


def get_item(server: Server) -> bytes:
    dynamodb.prepare(server)
    return dynamodb.request_of(server, "GetItem")


def by_turns(
    bare: Server, bare_request: bytes, watched: Server, watched_request: bytes, connections: int
) -> list[tuple[Rate, Rate]]:
    """Both, one after the other, several times: others use the machine too."""
    return [
        (bare.measure(bare_request, connections), watched.measure(watched_request, connections))
        for _ in range(TURNS)
    ]


def run() -> None:
    with ours("-m", "bench.gateways.unwatched") as bare, ours() as watched:
        found = {
            "GetItem, 64 connections": by_turns(
                bare, get_item(bare), watched, get_item(watched), dynamodb.CONNECTIONS
            ),
            "REST request to a function, 16": by_turns(
                bare, bare_api(bare), watched, watched_api(watched), CONNECTIONS
            ),
        }
    rows, parts = [], {}
    for what, turns in found.items():
        ratios = [on.per_cpu_second / off.per_cpu_second for off, on in turns]
        parts[what] = statistics.median(ratios)
        off, on = (max(rate.per_cpu_second for rate in rates) for rates in zip(*turns, strict=True))
        failed = sum(one.failed + other.failed for one, other in turns)
        spread = f"{min(ratios):.2f}–{max(ratios):.2f}"
        rows.append((what, off, on, f"{parts[what]:.2f}×", spread, failed))
    show(
        "metrics, access logs, logs of the function, traces and costs: what they leave",
        ("what", "bare per CPU s", "watched", "median part", "turns", "failed"),
        rows,
        f"aim: {PART_MIN:.0%} of the bare rate",
    )
    for what, part in parts.items():
        missed(f"{what}: part of the bare rate", part, at_least=PART_MIN)
