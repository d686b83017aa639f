"""What pools, users, passwords and codes have to look like. Pure."""
