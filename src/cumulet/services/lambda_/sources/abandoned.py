"""Batches that are given up: what is sent to the mapping's destination about them.

https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

from __future__ import annotations

import json
import logging
from typing import Any

from cumulet.core.clock import iso_time, new_uuid
from cumulet.core.errors import AwsError
from cumulet.core.http import BytesBody
from cumulet.core.identity import parse_arn
from cumulet.core.trace import log_line
from cumulet.services.lambda_.forms.names import LATEST, qualified
from cumulet.services.lambda_.running.measures import Measures
from cumulet.services.lambda_.sources.delivery import Feeder
from cumulet.services.lambda_.sources.records import Record


async def send_abandoned(
    feeder: Feeder, shard: str, batch: list[Record], reason: str, attempts: int
) -> None:
    """Send what is known of a batch to the destination, if there is one, and say so in the log."""
    mapping = feeder.mapping
    log_line(
        logging.WARNING,
        "a batch of a stream was given up",
        mapping=mapping.uuid,
        shard=shard,
        records=len(batch),
        because=reason,
    )
    if not mapping.on_failure:
        return
    record = json.dumps(_record(feeder, shard, batch, reason, attempts))
    try:
        await _send(feeder, mapping.on_failure, record)
    except AwsError as error:
        feeder.ctx.need(Measures).count(feeder.ref, "DestinationDeliveryFailures")
        log_line(
            logging.WARNING,
            "what was given up could not be told to its destination",
            mapping=mapping.uuid,
            target=mapping.on_failure,
            because=error.message,
        )


def _record(
    feeder: Feeder, shard: str, batch: list[Record], reason: str, attempts: int
) -> dict[str, Any]:
    clock = feeder.ctx.clock
    ref = feeder.ref
    first, last = batch[0]["dynamodb"], batch[-1]["dynamodb"]
    return {
        "requestContext": {
            "requestId": new_uuid(clock),
            "functionArn": qualified(ref.unqualified_arn, ref.qualifier or LATEST),
            "condition": reason,
            "approximateInvokeCount": attempts,
        },
        "responseContext": {
            "statusCode": 200,
            "executedVersion": ref.qualifier or LATEST,
            "functionError": "Unhandled",
        },
        "version": "1.0",
        "timestamp": iso_time(clock.now()),
        "DDBStreamBatchInfo": {
            "shardId": shard,
            "startSequenceNumber": first["SequenceNumber"],
            "endSequenceNumber": last["SequenceNumber"],
            "approximateArrivalOfFirstRecord": iso_time(first["ApproximateCreationDateTime"]),
            "approximateArrivalOfLastRecord": iso_time(last["ApproximateCreationDateTime"]),
            "batchSize": len(batch),
            "streamArn": feeder.mapping.source_arn,
        },
    }


async def _send(feeder: Feeder, target: str, record: str) -> None:
    arn = parse_arn(target)
    assert arn is not None, "checked when the mapping was made"
    role = await feeder.as_role()
    if arn.service == "sqs":
        url = f"/{arn.account}/{arn.resource}"
        await role.call("sqs", "SendMessage", QueueUrl=url, MessageBody=record)
    elif arn.service == "sns":
        await role.call("sns", "Publish", TopicArn=target, Message=record)
    else:
        key = f"aws/lambda/{feeder.mapping.uuid}/{new_uuid(feeder.ctx.clock)}"
        await role.call(
            "s3", "PutObject", Bucket=arn.resource, Key=key, Body=BytesBody(record.encode())
        )
