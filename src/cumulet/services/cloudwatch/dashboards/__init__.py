"""Dashboards: their bodies held against what AWS says a body is."""
