"""The operations of user pools, by noun."""
