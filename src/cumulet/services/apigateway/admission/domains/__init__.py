"""Custom domains of all three kinds of API: their records, their certificates, one lookup."""
