"""Benchmarks of stored bytes."""
