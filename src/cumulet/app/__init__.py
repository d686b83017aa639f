"""Floor 5: configuration, composition, serving."""
