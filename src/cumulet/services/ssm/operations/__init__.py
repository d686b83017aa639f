"""The operations of Parameter Store, by noun."""
