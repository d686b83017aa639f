"""Contributor Insights: who contributes most to something, counted by minute."""
