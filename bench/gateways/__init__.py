"""Benchmarks of API Gateway: REST requests beside the peers, open WebSockets, streamed answers."""
