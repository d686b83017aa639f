"""Calls that wait for an environment, and the making of environments for them."""
