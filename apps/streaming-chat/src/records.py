"""What the application keeps in its tables, and the conditional writes that keep it true.

A request is `accepted` (and counted), then `answering`, then `done` or `failed`. Whoever answers it
holds a lease; a lease that ran out may be taken by the next, whose attempt has a higher number.
"""

import os
import random
import time

import boto3
from botocore.config import Config

MONTHS_KEPT_SECONDS = 400 * 86_400
DAY_SECONDS = 86_400
CONNECTION_SECONDS_MAX = 2 * 3600
TRIES_MAX = 60
"""How often a count is tried while others count the same user's requests at the same moment."""

PAUSE_SECONDS_MAX = 0.4
NUMBERS_OF_AN_ATTEMPT = 1_000_000
PIECES_OF_ITEM_MAX = 64

ACCEPTED, ANSWERING, DONE, FAILED = "accepted", "answering", "done", "failed"

database = boto3.client(
    "dynamodb",
    config=Config(max_pool_connections=32, retries={"mode": "standard", "total_max_attempts": 5}),
)
REFUSED = database.exceptions.ConditionalCheckFailedException
CANCELLED = database.exceptions.TransactionCanceledException


def month_of(epoch_ms):
    """The month of a moment, as `2026-11`, in UTC."""
    return time.strftime("%Y-%m", time.gmtime(epoch_ms / 1000))


def reset_of(month):
    """The moment in epoch seconds at which the month after this one begins, in UTC."""
    year, number = (int(part) for part in month.split("-"))
    year, number = (year + 1, 1) if number == 12 else (year, number + 1)
    days = 365 * (year - 1970) + (year - 1969) // 4 - (year - 1901) // 100 + (year - 1601) // 400
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return (days + sum(lengths[: number - 1])) * DAY_SECONDS


# The quota


def used_in(user, month):
    """How many requests of the user are counted in the month."""
    found = database.get_item(
        TableName=os.environ["USAGE_TABLE"], Key=_usage_key(user, month), ConsistentRead=True
    )
    return int(found.get("Item", {}).get("used", {"N": "0"})["N"])


def count(user, month, request, limit):
    """Count the request and write it down, both or neither; what became of it.

    `accepted`; `repeated` when it had been counted before; `spent` when the month's quota is.
    """
    now = int(time.time())
    usage = {
        "TableName": os.environ["USAGE_TABLE"],
        "Key": _usage_key(user, month),
        "UpdateExpression": "SET expires = :expires ADD used :one",
        "ConditionExpression": "attribute_not_exists(used) OR used < :limit",
        "ExpressionAttributeValues": {
            ":one": {"N": "1"},
            ":limit": {"N": str(limit)},
            ":expires": {"N": str(now + MONTHS_KEPT_SECONDS)},
        },
    }
    record = {
        "TableName": os.environ["REQUESTS_TABLE"],
        "Item": {
            **_request_key(user, request),
            "state": {"S": ACCEPTED},
            "attempt": {"N": "0"},
            "month": {"S": month},
            "expires": {"N": str(now + DAY_SECONDS)},
        },
        "ConditionExpression": "attribute_not_exists(id)",
    }

    def look():
        if load_request(user, request) is not None:
            return "repeated"
        return "spent" if used_in(user, month) >= limit else None

    names = ("repeated", "spent")
    return _transact([{"Put": record}, {"Update": usage}], names, look) or "accepted"


def give_back(user, month, request):
    """Undo a count whose request never reached the queue; whether there was one to undo."""
    usage = {
        "TableName": os.environ["USAGE_TABLE"],
        "Key": _usage_key(user, month),
        "UpdateExpression": "ADD used :less",
        "ConditionExpression": "used > :none",
        "ExpressionAttributeValues": {":less": {"N": "-1"}, ":none": {"N": "0"}},
    }
    record = {
        "TableName": os.environ["REQUESTS_TABLE"],
        "Key": _request_key(user, request),
        "ConditionExpression": "#state = :accepted AND attempt = :none",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": {":accepted": {"S": ACCEPTED}, ":none": {"N": "0"}},
    }
    return _transact([{"Delete": record}, {"Update": usage}], ("begun", "uncounted")) is None


def _transact(writes, names, look=lambda: None):
    """None when the writes were made; else the name of the first whose condition did not hold.

    When others write the same, `look` may find that there is nothing left to write, and name why.
    """
    for turn in range(TRIES_MAX):
        try:
            database.transact_write_items(TransactItems=writes)
        except CANCELLED as cancelled:
            codes = [reason.get("Code") for reason in cancelled.response["CancellationReasons"]]
            for code, name in zip(codes, names, strict=True):
                if code == "ConditionalCheckFailed":
                    return name
            if not set(codes) & {"TransactionConflict", "ThrottlingError"}:
                raise
        else:
            return None
        # Others write the same count; whoever waits a random while does not meet them all again.
        time.sleep(random.uniform(0.002, min(PAUSE_SECONDS_MAX, 0.01 * 2**turn)))
        if (found := look()) is not None:
            return found
    raise TimeoutError("the count is written by too many at once")


# A request and who answers it


def load_request(user, request):
    """The request's record as plain values, or None."""
    found = database.get_item(
        TableName=os.environ["REQUESTS_TABLE"],
        Key=_request_key(user, request),
        ConsistentRead=True,
    )
    return _plain(found["Item"]) if "Item" in found else None


def claim(user, request, lease_seconds):
    """Take the request to answer it: (its new attempt's number, None), or (None, its record)."""
    now = time.time()
    try:
        found = database.update_item(
            TableName=os.environ["REQUESTS_TABLE"],
            Key=_request_key(user, request),
            UpdateExpression="SET #state = :answering, lease = :until ADD attempt :one",
            ConditionExpression="#state IN (:accepted, :failed) "
            "OR (#state = :answering AND lease < :now)",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={
                ":answering": {"S": ANSWERING},
                ":accepted": {"S": ACCEPTED},
                ":failed": {"S": FAILED},
                ":one": {"N": "1"},
                ":now": {"N": f"{now:.3f}"},
                ":until": {"N": f"{now + lease_seconds:.3f}"},
            },
            ReturnValues="UPDATED_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except REFUSED as refused:
        item = refused.response.get("Item")
        return None, _plain(item) if item else None
    return int(found["Attributes"]["attempt"]["N"]), None


def renew(user, request, attempt, lease_seconds):
    """Hold the lease longer; False when another attempt has taken it."""
    return _settle(user, request, attempt, lease=f"{time.time() + lease_seconds:.3f}")


def release(user, request, attempt):
    """Let the next attempt begin at once."""
    return _settle(user, request, attempt, lease="0")


def finish(user, request, attempt, total, reason):
    """The answer is whole, with so many pieces; False when another attempt has taken it."""
    return _settle(user, request, attempt, state=DONE, total=str(total), reason=reason)


def fail(user, request, attempt, message):
    """Nobody will answer it; False when another attempt has taken it."""
    return _settle(user, request, attempt, state=FAILED, reason=message)


def _settle(user, request, attempt, **values):
    numbers = ("lease", "total")
    names = {f"#{name}": name for name in values}
    found = {f":{k}": {"N" if k in numbers else "S": v} for k, v in values.items()}
    try:
        database.update_item(
            TableName=os.environ["REQUESTS_TABLE"],
            Key=_request_key(user, request),
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
            ConditionExpression="#held = :answering AND attempt = :mine",
            ExpressionAttributeNames={**names, "#held": "state"},
            ExpressionAttributeValues={
                **found,
                ":answering": {"S": ANSWERING},
                ":mine": {"N": str(attempt)},
            },
        )
    except REFUSED:
        return False
    return True


# The pieces of an answer


def keep(user, request, attempt, first, texts):
    """Keep consecutive pieces of an attempt, the first of them with the number `first`."""
    database.put_item(
        TableName=os.environ["PIECES_TABLE"],
        Item={
            "answer": {"S": f"{user}/{request}"},
            "first": {"N": str(attempt * NUMBERS_OF_AN_ATTEMPT + first)},
            "texts": {"L": [{"S": text} for text in texts]},
            "expires": {"N": str(int(time.time()) + DAY_SECONDS)},
        },
    )


def kept(user, request, attempt, start):
    """The kept pieces of an attempt from the number `start` on: (number of the first, texts)."""
    base = attempt * NUMBERS_OF_AN_ATTEMPT
    pages = database.get_paginator("query").paginate(
        TableName=os.environ["PIECES_TABLE"],
        KeyConditionExpression="answer = :answer AND #first BETWEEN :low AND :high",
        ExpressionAttributeNames={"#first": "first"},
        ExpressionAttributeValues={
            ":answer": {"S": f"{user}/{request}"},
            ":low": {"N": str(base + max(0, start - PIECES_OF_ITEM_MAX + 1))},
            ":high": {"N": str(base + NUMBERS_OF_AN_ATTEMPT - 1)},
        },
        ConsistentRead=True,
    )
    for page in pages:
        for item in page["Items"]:
            first = int(item["first"]["N"]) - base
            texts = [text["S"] for text in item["texts"]["L"]]
            if first + len(texts) > start:
                skipped = max(0, start - first)
                yield first + skipped, texts[skipped:]


# Connections


def connected(user, connection):
    """The user listens on this connection."""
    database.put_item(
        TableName=os.environ["CONNECTIONS_TABLE"],
        Item={
            **_connection_key(user, connection),
            "expires": {"N": str(int(time.time()) + CONNECTION_SECONDS_MAX)},
        },
    )


def disconnected(user, connection):
    """The user no longer listens on this connection."""
    database.delete_item(
        TableName=os.environ["CONNECTIONS_TABLE"], Key=_connection_key(user, connection)
    )


def connections_of(user):
    """Where the user listens."""
    pages = database.get_paginator("query").paginate(
        TableName=os.environ["CONNECTIONS_TABLE"],
        KeyConditionExpression="#user = :user",
        ExpressionAttributeNames={"#user": "user"},
        ExpressionAttributeValues={":user": {"S": user}},
        ConsistentRead=True,
    )
    return [item["connection"]["S"] for page in pages for item in page["Items"]]


def _usage_key(user, month):
    return {"user": {"S": user}, "month": {"S": month}}


def _request_key(user, request):
    return {"user": {"S": user}, "id": {"S": request}}


def _connection_key(user, connection):
    return {"user": {"S": user}, "connection": {"S": connection}}


def _plain(item):
    return {k: float(v["N"]) if "N" in v else v["S"] for k, v in item.items()}
