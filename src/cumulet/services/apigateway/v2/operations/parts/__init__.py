"""What an API consists of: routes, integrations, authorizers, models."""
