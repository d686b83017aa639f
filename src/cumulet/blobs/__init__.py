"""Floor 1: large bytes on disk, referenced from the store."""
