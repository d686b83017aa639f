"""The backends of methods, one file for each kind."""
