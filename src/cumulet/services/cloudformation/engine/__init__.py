"""Bringing stacks to what their templates say, in steps that survive a kill."""
