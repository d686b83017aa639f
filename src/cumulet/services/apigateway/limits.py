"""The bounds of REST APIs, each with the page that states it.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-service-limits-table.html
"""

APIS_MAX = 600
"""REST APIs of one account in one region (the quota of regional and edge APIs together)."""

RESOURCES_MAX = 300
STAGES_MAX = 10
VALIDATORS_MAX = 100
MODELS_MAX = 500
DEPLOYMENTS_MAX = 10_000
"""Kept per API. AWS states none; the bound is ours."""

RESOURCE_BYTES_MAX = 900_000
"""One resource with its methods as stored; below the store's bound for a value. Ours."""

RESPONSES_MAX = 30
"""Gateway responses of one API; AWS has 21 types."""

RESPONSE_BYTES_MAX = 500_000
"""One gateway response as stored; below the store's bound for a value. Ours."""

TEMPLATE_BYTES_MAX = 300_000
PAGE_DEFAULT = 25
PAGE_MAX = 500

BODY_BYTES_MAX = 10_485_760
"""Payload of a request or a response, uncompressed."""

HEADER_BYTES_MAX = 10_240
"""Request line and header values of one request together."""

COMPRESSION_BYTES_MAX = 10_485_760
"""The largest `minimumCompressionSize`."""

TIMEOUT_MS_MIN = 50
TIMEOUT_MS_DEFAULT = 29_000
TIMEOUT_MS_MAX = 29_000
STREAM_TIMEOUT_MS_MAX = 900_000
"""Of integrations whose answers are streamed:
https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html"""

TAGS_MAX = 50
TAG_KEY_LENGTH_MAX = 128
TAG_VALUE_LENGTH_MAX = 256

STAGES_CACHED_MAX = 1_000
"""Stages whose routes are kept ready in memory. Ours."""

DOCUMENT_BYTES_MAX = 6_291_456
"""An OpenAPI document to import."""

DOCUMENT_DEPTH_MAX = 100
"""Nesting of an OpenAPI document and of its references. Ours."""

PATCHES_MAX = 200
"""Patch operations of one request. Ours."""
