"""HTTP/1.1: bytes in, requests and responses; nothing here knows what is asked."""
