"""Lambda's operations, one function each, by noun."""
