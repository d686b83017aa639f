"""Statements of PartiQL: one, in batches, and in transactions."""
