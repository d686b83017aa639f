"""What runs models: one file for each kind of engine, and what they share."""
