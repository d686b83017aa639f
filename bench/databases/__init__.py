"""Benchmarks of DynamoDB: single operations, and whether the size of a table matters."""
