"""The operations of API Gateway, by noun."""
