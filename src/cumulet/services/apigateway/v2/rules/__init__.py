"""What the parts of HTTP and WebSocket APIs may say. Pure."""
