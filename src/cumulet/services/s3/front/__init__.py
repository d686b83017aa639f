"""What happens around operations, and fronts of S3 that are not its API."""
