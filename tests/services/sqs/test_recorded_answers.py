"""What AWS's own SQS answered where its documentation says nothing.

The facts are those that LocalStack's suite recorded against AWS (github.com/localstack/localstack,
tests/aws/services/sqs); each test names the recorded one.
"""

from __future__ import annotations

import uuid
from typing import Any


def test_truth_values_are_read_in_any_case(sqs: Any) -> None:
    """test_fifo_delete_after_visibility_timeout."""
    url = sqs.create_queue(
        QueueName=f"{uuid.uuid4().hex}.fifo",
        Attributes={"FifoQueue": "True", "ContentBasedDeduplication": "True"},
    )["QueueUrl"]
    shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (shown["FifoQueue"], shown["ContentBasedDeduplication"]) == ("true", "true")
    sqs.delete_queue(QueueUrl=url)


def test_a_batch_leaves_out_the_list_that_has_nothing_in_it(sqs: Any, make: Any) -> None:
    """test_send_message_batch_with_oversized_contents_with_updated_maximum_message_size."""
    answer = sqs.send_message_batch(
        QueueUrl=make(), Entries=[{"Id": "a", "MessageBody": "1"}, {"Id": "b", "MessageBody": "2"}]
    )
    assert [one["Id"] for one in answer["Successful"]] == ["a", "b"]
    assert "Failed" not in answer
