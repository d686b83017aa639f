"""Who and what may pass, for every kind of API: tokens, keys, plans, buckets, domains."""
