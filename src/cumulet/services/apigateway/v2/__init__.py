"""HTTP APIs and WebSocket APIs: the second generation of API Gateway."""
