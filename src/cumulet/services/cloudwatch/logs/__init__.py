"""CloudWatch Logs: how events are kept, gathered, read in order and looked for."""
