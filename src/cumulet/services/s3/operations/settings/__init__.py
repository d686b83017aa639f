"""Settings of buckets and of accounts."""
