"""From requests to checked settings, pure plans, and the beginning of work on a stack."""
