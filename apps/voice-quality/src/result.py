"""GET /jobs/{id}: the score when it is there, and what is the matter when it is not."""

import json
import os
import time

import boto3
import machine
from botocore.exceptions import ClientError


class Answer(Exception):
    """Another answer than the score. The text begins with its status."""


def handler(event, context):
    job = event.get("id") or ""
    table = boto3.client("dynamodb")
    key = {"TableName": os.environ["TABLE"], "Key": {"id": {"S": job}}}
    item = table.get_item(ConsistentRead=True, **key).get("Item") if job else None
    now = time.time()
    if item is None or int(item["expires"]["N"]) <= now:
        raise Answer("404: there is no such job")
    hold_back(table, key, now)
    with machine.connect() as client:
        files = client.open_sftp()
        folder = machine.folder_of(job)
        try:
            with files.open(f"{folder}/result.txt") as source:
                text = source.read(100_000).decode()
        except FileNotFoundError:
            text = None
    if text is None:
        if now > int(item["deadline"]["N"]):
            table.delete_item(**key)
            raise Answer("408: the job has outlived its time")
        raise Answer("202: running")
    boto3.client("s3").put_object(
        Bucket=os.environ["BUCKET"], Key=f"jobs/{job}/result.txt", Body=text.encode()
    )
    result = parse(text)
    # The cleaner removes the files when the record is gone.
    table.delete_item(**key)
    if "error" in result:
        raise Answer(f"500: the engine could not score it: {result['error']}")
    return {"id": job, "state": "done", **result}


def hold_back(table, key, now):
    """Refuse a client that asks again before its time."""
    wait_ms = int(float(os.environ["POLL_SECONDS"]) * 1000)
    now_ms = int(now * 1000)
    try:
        table.update_item(
            UpdateExpression="SET asked = :now",
            ConditionExpression=(
                "attribute_exists(id) AND (attribute_not_exists(asked) OR asked <= :before)"
            ),
            ExpressionAttributeValues={
                ":now": {"N": str(now_ms)},
                ":before": {"N": str(now_ms - wait_ms)},
            },
            **key,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            raise Answer("429: ask again later, as Retry-After says") from None
        raise


def parse(text):
    """The engine's result: lines of `name: value`."""
    found = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            found[name.strip()] = as_value(value.strip())
    return found or {"error": "its result is empty"}


def as_value(text):
    try:
        return json.loads(text)
    except ValueError:
        return text
