"""Connections: those that are open here, and the records of all."""
