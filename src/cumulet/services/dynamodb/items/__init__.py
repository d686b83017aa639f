"""What items are: attribute values, numbers, sizes, and keys that sort as the values do. Pure."""
