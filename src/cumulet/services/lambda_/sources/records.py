"""Records as functions are given them, and as filters see them.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html,
https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cumulet.core.event_patterns import Test, compile_pattern

Record = dict[str, Any]


def of_message(message: Mapping[str, Any], source_arn: str, region: str) -> Record:
    """A received message as a record."""
    record: Record = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes") or {}),
        "messageAttributes": {
            name: _attribute(value)
            for name, value in (message.get("MessageAttributes") or {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": source_arn,
        "awsRegion": region,
    }
    if "MD5OfMessageAttributes" in message:
        record["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return record


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": value["DataType"],
    }
    if "StringValue" in value:
        shown["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        shown["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return shown


def of_change(change: Mapping[str, Any], source_arn: str) -> Record:
    """A record of a table's stream as a function is given it."""
    return {**change, "eventSourceARN": source_arn}


def compile_filters(patterns: Sequence[str], *, of_stream: bool) -> Callable[[Record], bool]:
    """Whether a record passes one of the patterns; every record does when there are none."""
    if not patterns:
        return lambda record: True
    tests = [compile_pattern(pattern) if of_stream else _of_messages(pattern)
             for pattern in patterns]  # fmt: skip
    return lambda record: any(test(record) for test in tests)


def _of_messages(pattern: str) -> Test:
    """A pattern for messages: one that looks into the body needs a body in JSON.

    https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html
    """
    test = compile_pattern(pattern)
    looks_into_body = isinstance(json.loads(pattern).get("body"), dict)

    def matches(record: Record) -> bool:
        if not looks_into_body:
            return test(record)
        try:
            body = json.loads(record["body"])
        except ValueError:
            return False
        return test({**record, "body": body})

    return matches
