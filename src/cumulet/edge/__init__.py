"""Floor 4: HTTP and WebSocket in."""
