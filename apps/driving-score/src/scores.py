"""Answers `GET /scores/{id}` with the score of a person's driving style."""

import json
import os

import boto3
from botocore.config import Config
from ids import is_id

COMPONENTS = ("acceleration", "braking", "cornering", "speed", "phone", "fatigue")
NUMBERS = {"score", "km", "km_night", "km_urban", "trips", "alerts", *COMPONENTS}
HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store"}

# A try that hangs is ended early enough for the next one to answer within a second.
TABLE = os.environ["TABLE"]
CLIENT = boto3.client(
    "dynamodb",
    config=Config(
        connect_timeout=0.4,
        read_timeout=0.4,
        retries={"total_max_attempts": 3, "mode": "standard"},
    ),
)


def handler(event, context):
    """200 with the score, 404 for an id that nobody has, 400 for what is no id."""
    person = event["pathParameters"]["id"]
    if not is_id(person):
        return answer(400, {"message": "an id has twelve digits, the last two of which check it"})
    found = CLIENT.get_item(TableName=TABLE, Key={"id": {"S": person}}).get("Item")
    if found is None:
        return answer(404, {"message": "nobody has this id"})
    return answer(200, told({name: plain(name, value) for name, value in found.items()}))


def plain(name, value):
    """Text or a number of an attribute. What came from a CSV file is kept as text throughout."""
    text = value["N"] if "N" in value else value["S"]
    if name not in NUMBERS:
        return text
    return float(text) if "." in text else int(text)


def told(record):
    """The record as callers are told it: the components by themselves."""
    components = {name: record.pop(name) for name in COMPONENTS if name in record}
    return {"id": record.pop("id"), "score": record.pop("score"), "components": components} | record


def answer(status, body):
    """A proxy response for API Gateway."""
    return {"statusCode": status, "headers": HEADERS, "body": json.dumps(body)}
