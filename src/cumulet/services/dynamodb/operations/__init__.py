"""The operations of DynamoDB and its streams."""
