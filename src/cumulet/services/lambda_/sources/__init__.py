"""Event sources: queues and streams that Lambda reads by itself to feed functions."""
