"""What the service-level report is made of."""
