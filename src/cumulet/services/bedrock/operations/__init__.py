"""Bedrock's operations."""
