"""Who calls a REST API, as its authorizers see it."""
