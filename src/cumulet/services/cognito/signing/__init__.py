"""Tokens: the keys of pools, what they sign, and whoever asks whether they did."""
