"""Templates: their text, their sections, their functions and their transforms. Mostly pure."""
