"""The bytes of objects: taking them in, joining parts, letting go of what nothing needs."""
