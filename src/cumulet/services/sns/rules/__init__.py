"""What SNS takes and what it means: attributes, filters, messages and retries. Pure."""
