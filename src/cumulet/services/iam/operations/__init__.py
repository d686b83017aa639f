"""The operations of IAM and STS, by noun."""
