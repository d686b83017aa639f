"""Packages of code and layers: checked, kept, unpacked, and linked to."""
