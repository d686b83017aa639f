"""Floor 0: the names every floor shares. Standard library only."""
