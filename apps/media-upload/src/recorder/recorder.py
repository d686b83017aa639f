"""S3 tells it of each upload that has finished; it writes that down in the file's record."""

import os
from urllib.parse import unquote_plus

import boto3

table = boto3.resource("dynamodb").Table(os.environ["FILES"])


def handler(event, context):
    for record in event.get("Records", []):
        finish(record)


def finish(record):
    """Mark the file as finished, with its size and time as S3 tells them.

    An event that comes twice changes nothing; one of a file without a record is told in the log.
    """
    stored = record["s3"]["object"]
    _, owner, file_id = unquote_plus(stored["key"]).split("/", 2)
    try:
        table.update_item(
            Key={"owner": owner, "id": file_id},
            UpdateExpression="SET #state = :finished, #size = :size, etag = :etag, "
            "finished = :time REMOVE expires, upload",
            ConditionExpression="attribute_exists(id)",
            ExpressionAttributeNames={"#state": "state", "#size": "size"},
            ExpressionAttributeValues={
                ":finished": "finished",
                ":size": stored["size"],
                ":etag": stored["eTag"],
                ":time": record["eventTime"],
            },
        )
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        print(f"there is no record of {stored['key']}")
