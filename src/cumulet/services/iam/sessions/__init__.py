"""Temporary credentials: their tokens, and who may have them."""
