"""The figures of a span from the access log, call by call."""

import json
from collections import defaultdict
from datetime import UTC, datetime

import boto3

from reporting.tally import Tally

PAGE_EVENTS = 10_000


def read(group, since, until):
    """The figures of each stage and method, and how many lines were none of ours."""
    tallies = defaultdict(Tally)
    unread = 0
    pages = (
        boto3.client("logs")
        .get_paginator("filter_log_events")
        .paginate(
            logGroupName=group,
            startTime=int(since.timestamp() * 1000),
            endTime=int(until.timestamp() * 1000) - 1,
            limit=PAGE_EVENTS,
        )
    )
    for page in pages:
        for event in page["events"]:
            try:
                entry = json.loads(event["message"])
                at = datetime.fromtimestamp(int(entry["time"]) / 1000, UTC)
                latency, status = int(entry["latencyMs"]), int(entry["status"])
                name = entry["stage"], method_of(entry)
            except (ValueError, KeyError, TypeError):
                unread += 1
            else:
                tallies[name].count(at.date(), latency, status)
    return [tally.figures(*name) for name, tally in sorted(tallies.items())], unread


def method_of(entry):
    """The method and its resource; calls of what is not there are counted together."""
    if entry["resource"] == "-":
        return "(no such method)"
    return f"{entry['method']} {entry['resource']}"
