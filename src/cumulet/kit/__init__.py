"""Floor 2: what a service is, and the one path every operation takes."""
