"""Benchmarks of queues: cycles beside the brokers that can be had, wake-ups, and a long queue."""
