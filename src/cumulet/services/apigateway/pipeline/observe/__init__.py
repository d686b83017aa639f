"""What is told of requests: access logs and execution logs. Nothing here changes an answer."""
