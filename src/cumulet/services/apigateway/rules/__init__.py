"""What an API may say: checks, patch rules, and what belongs where. Pure."""
