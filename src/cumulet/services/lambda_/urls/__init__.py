"""Function URLs, pure: the request as an event, the result as a response, and CORS."""
