"""Floor 1: an ordered, transactional store of bytes, and typed tables on it."""
