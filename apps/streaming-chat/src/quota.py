"""Takes a request if the user's monthly quota allows it, and puts it on the queue; tells the quota.

A request has an id that its client chose. The same id twice is one request: it is counted once and
answered once, so that a client that does not know whether it was heard may simply ask again.
"""

import json
import os
import re
import time

import boto3
import records
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ID = re.compile(r"[A-Za-z0-9-]{8,64}\Z")
MESSAGES_MAX = 41
TEXT_MAX = 8_000
ALL_TEXT_MAX = 40_000
"""In characters; four bytes each are still below the 256 KB that a message may have everywhere."""

queue = boto3.client(
    "sqs",
    config=Config(
        retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=2, read_timeout=4
    ),
)


class Refused(Exception):
    """The request is none that can be answered; says what is wrong."""


def handler(event, context):
    asked = event["requestContext"]
    user = asked["authorizer"]["claims"]["sub"]
    month = records.month_of(asked["requestTimeEpoch"])
    if event["httpMethod"] == "GET":
        return answer(200, quota_of(user, month))
    try:
        request, messages = read(event.get("body"))
    except Refused as refused:
        return answer(400, {"message": str(refused)})
    return take(user, month, request, messages)


def take(user, month, request, messages):
    limit = int(os.environ["MONTHLY_QUOTA"])
    outcome = records.count(user, month, request, limit)
    if outcome == "spent":
        told = quota_of(user, month)
        return answer(429, {"message": f"the {limit} requests of this month are used up", **told})
    known = records.load_request(user, request) if outcome == "repeated" else None
    if known is None or known["state"] == records.ACCEPTED:
        # Also when it is repeated: the first time may have ended between the count and the queue.
        try:
            send(user, request, messages)
        except (BotoCoreError, ClientError) as cause:
            print(f"the queue does not take {request}: {cause}")
            if records.give_back(user, month, request):
                body = {"message": "it could not be queued, and is not counted; try again"}
                return answer(503, {**body, **quota_of(user, month)}, {"Retry-After": "2"})
    return answer(202, {"id": request, **quota_of(user, month)})


def send(user, request, messages):
    body = {"user": user, "id": request, "messages": messages}
    queue.send_message(
        QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(body, ensure_ascii=False)
    )


def read(body):
    """The id and the messages of a request's body; raises `Refused`."""
    try:
        found = json.loads(body or "")
    except ValueError:
        raise Refused("the body is not JSON") from None
    if not isinstance(found, dict):
        raise Refused("the body is not a JSON object")
    request, messages = found.get("id"), found.get("messages")
    if not isinstance(request, str) or not ID.match(request):
        raise Refused("id must have 8 to 64 letters, digits and hyphens")
    if not isinstance(messages, list) or not 1 <= len(messages) <= MESSAGES_MAX:
        raise Refused(f"messages must be a list of 1 to {MESSAGES_MAX}")
    for number, message in enumerate(messages):
        role = "user" if number % 2 == 0 else "assistant"
        if not isinstance(message, dict) or message.get("role") != role:
            raise Refused("messages must be of user and assistant by turns, beginning with user")
        text = message.get("text")
        if not isinstance(text, str) or not text.strip() or len(text) > TEXT_MAX:
            raise Refused(f"text must have 1 to {TEXT_MAX} characters")
    if len(messages) % 2 == 0:
        raise Refused("the last message must be the user's")
    if sum(len(message["text"]) for message in messages) > ALL_TEXT_MAX:
        raise Refused(f"all messages together must not exceed {ALL_TEXT_MAX} characters")
    return request, [{"role": each["role"], "text": each["text"]} for each in messages]


def quota_of(user, month):
    limit, used = int(os.environ["MONTHLY_QUOTA"]), records.used_in(user, month)
    reset = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(records.reset_of(month)))
    return {"limit": limit, "used": used, "remaining": max(0, limit - used), "resets": reset}


def answer(status, body, more=None):
    headers = {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "X-Quota-Limit, X-Quota-Remaining, X-Quota-Reset",
        **(more or {}),
    }
    if "limit" in body:
        headers["X-Quota-Limit"] = str(body["limit"])
        headers["X-Quota-Remaining"] = str(body["remaining"])
        headers["X-Quota-Reset"] = body["resets"]
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}
