"""Targets of rules and schedules: which there are, what they get, and how it is brought to them."""
