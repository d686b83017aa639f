"""What `cumulet deploy` does on the way: build, package, and follow the stack."""
