"""Benchmarks of API Gateway: REST requests beside the peers, and open WebSockets."""
