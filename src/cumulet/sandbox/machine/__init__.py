"""What this machine offers: interpreters, control groups, layers of isolation."""
