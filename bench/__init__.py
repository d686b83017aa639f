"""Benchmarks: ours, the peers' and the machine's own limit, as ratios from one run."""
