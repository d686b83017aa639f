"""HTTP APIs as they are served: match → CORS → authorize → meter → integrate → respond."""
