"""Answers the requests of a batch side by side; those that failed go back to the queue alone."""

import json
from concurrent.futures import ThreadPoolExecutor

from answering import Answering


def handler(event, context):
    batch = event["Records"]
    if len(batch) == 1:
        outcomes = [settled(batch[0], context)]
    else:
        with ThreadPoolExecutor(len(batch)) as workers:
            outcomes = list(workers.map(lambda message: settled(message, context), batch))
    failed = [message for message, done in zip(batch, outcomes, strict=True) if not done]
    return {"batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in failed]}


def settled(message, context):
    """Whether the message has done its duty and may leave the queue."""
    try:
        body = json.loads(message["body"])
        work = Answering(message, body["user"], body["id"], body["messages"], context)
    except (ValueError, TypeError, KeyError) as cause:
        print(f"message {message['messageId']} is none of ours: {cause!r}")
        return False
    try:
        return work.run()
    except Exception as cause:
        print(f"message {message['messageId']} failed: {cause!r}")
        return False
