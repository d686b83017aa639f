"""The operations of CloudWatch Logs, by noun."""
