"""The pages for signing in, and the OAuth 2.0 endpoints behind a pool's domain."""
