"""Floor 3: the services. None imports another."""
