"""Keeps the table of connections, and tells a client that comes back what it has missed."""

import json
import os
import time

import records
from listeners import Listeners


def handler(event, context):
    asked = event["requestContext"]
    connection, route = asked["connectionId"], asked["routeKey"]
    user = asked["authorizer"]["principalId"]
    if route == "$connect":
        records.connected(user, connection)
    elif route == "$disconnect":
        records.disconnected(user, connection)
    elif route == "resume":
        resume(user, connection, event.get("body"))
    # Anything else only keeps the connection from being idle.
    return {"statusCode": 200}


def resume(user, connection, body):
    """Tell what is kept of an answer from the attempt and the number on that the client is at."""
    try:
        asked = json.loads(body)
        request = str(asked["id"])
        attempt, start = int(asked.get("attempt", 0)), max(0, int(asked.get("next", 0)))
    except (ValueError, TypeError, KeyError):
        return
    here = Listeners(user, [connection])
    record = records.load_request(user, request)
    if record is None:
        here.tell("unknown", id=request)
        return
    current = int(record["attempt"])
    if attempt != current:
        start = 0
    for first, texts in records.kept(user, request, current, start):
        here.tell("pieces", id=request, attempt=current, first=first, texts=texts)
    if record["state"] == records.DONE:
        total, reason = int(record["total"]), record["reason"]
        here.tell("end", id=request, attempt=current, total=total, reason=reason)
    elif record["state"] == records.FAILED or is_lost(user, request, record):
        here.tell("failed", id=request, message=record.get("reason", "it could not be answered"))


def is_lost(user, request, record):
    """Whether the last attempt ended without a word, so that the message is a dead letter."""
    if record["state"] != records.ANSWERING or record["lease"] > time.time():
        return False
    if int(record["attempt"]) < int(os.environ["ATTEMPTS"]):
        return False
    return records.fail(user, request, int(record["attempt"]), "it could not be answered")
