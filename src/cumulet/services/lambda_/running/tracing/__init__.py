"""What X-Ray is told of invocations: the header, the segments, and what functions send."""
