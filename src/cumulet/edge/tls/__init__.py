"""TLS of the server: certificates by the names that clients ask for."""
