"""Stages of WebSocket APIs as deployed, made ready once."""
