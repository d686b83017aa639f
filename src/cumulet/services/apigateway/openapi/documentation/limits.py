"""The bounds of documentation.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-service-limits-table.html
"""

PARTS_MAX = 2_000
"""Documentation parts of one API."""

VERSIONS_MAX = 20
"""Kept versions of one API's documentation. Ours."""

PROPERTIES_BYTES_MAX = 100_000
"""What is said of one location. Ours."""
