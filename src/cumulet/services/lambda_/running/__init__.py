"""Running functions: what to run, with whose credentials, within which limits, and its log."""
