"""Cumulet: a small cloud of your own that speaks AWS's wire protocols."""

__version__ = "0.1.0"
