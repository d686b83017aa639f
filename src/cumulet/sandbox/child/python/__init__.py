"""What makes a forked interpreter a Python function: handler, context, log, and the loop."""
