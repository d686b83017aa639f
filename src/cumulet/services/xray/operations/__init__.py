"""The operations of X-Ray."""
