"""How requests come in: addresses, the APIs that are served, what issuers publish."""
