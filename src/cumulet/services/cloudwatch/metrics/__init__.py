"""CloudWatch metrics: series of measurements, gathered by minute, rolled up, told by period."""
