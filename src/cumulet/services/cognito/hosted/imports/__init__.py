"""Import jobs: the address that takes a file of users, and the work that reads it."""
