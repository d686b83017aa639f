"""SQS's records in the store: the only folder that knows their keys."""
