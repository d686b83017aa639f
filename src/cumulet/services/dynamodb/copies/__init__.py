"""Whole tables: loaded, backed up, restored, exported and imported, a part at a time."""
