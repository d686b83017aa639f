"""Responses of routes and of integrations, for WebSocket APIs."""
