"""How events reach a runtime: frames for our own Python side, the Runtime API for all others."""
