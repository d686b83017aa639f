"""HTTP APIs as OpenAPI 3 documents with API Gateway's extensions: read and written. Pure."""
