"""Backends of WebSocket routes: functions, HTTP, and answers made up here."""
