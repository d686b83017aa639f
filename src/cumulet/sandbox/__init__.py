"""Floor 1: running other people's code, as processes, isolated."""
