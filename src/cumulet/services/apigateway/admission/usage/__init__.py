"""API keys, usage plans, and what of them is used up."""
