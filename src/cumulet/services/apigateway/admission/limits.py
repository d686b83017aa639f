"""The bounds of admission, each with the page that states it, or said to be ours.

https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
"""

BUCKETS_MAX = 100_000
"""Token buckets held in memory. Ours."""
