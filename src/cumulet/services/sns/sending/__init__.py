"""How messages reach those who subscribed: envelopes, signatures, and each protocol's way."""
