"""OpenAPI 3 and Swagger 2 documents with API Gateway's extensions, read into APIs. Pure."""
