"""The pure rules of SQS: attributes of queues, contents of messages, handles."""
