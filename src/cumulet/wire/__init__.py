"""Floor 1: AWS protocols as pure functions over bytes."""
