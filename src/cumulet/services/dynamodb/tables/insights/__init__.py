"""Contributor Insights of tables: the rules, and what is counted for them."""
