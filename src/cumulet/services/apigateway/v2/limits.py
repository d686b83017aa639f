"""The bounds of HTTP and WebSocket APIs, each with the page that states it.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
"""

APIS_MAX = 600
"""HTTP and WebSocket APIs of one account in one region."""

ROUTES_MAX = 300
INTEGRATIONS_MAX = 300
AUTHORIZERS_MAX = 10
STAGES_MAX = 10
MODELS_MAX = 500
RESPONSES_MAX = 100
"""Responses of one route or integration. AWS states none; the bound is ours."""

DEPLOYMENTS_MAX = 10_000
"""Kept per API. AWS states none; the bound is ours."""

SNAPSHOT_PIECE_BYTES = 500_000
"""A deployment's copy of the API is stored in pieces of this size. Ours."""

SNAPSHOT_BYTES_MAX = 16_000_000
"""The whole copy. Ours."""

PART_BYTES_MAX = 400_000
"""One route, integration, response or authorizer as stored. Ours."""

PAGE_DEFAULT = 500
PAGE_MAX = 500

TIMEOUT_MS_MIN = 50
TIMEOUT_MS_HTTP = 30_000
TIMEOUT_MS_WEBSOCKET = 29_000

SCOPES_MAX = 10
"""Authorization scopes of one route."""

AUDIENCES_MAX = 50
IDENTITY_SOURCES_MAX = 10
AUTHORIZER_TTL_DEFAULT = 300
AUTHORIZER_TTL_MAX = 3_600
CORS_VALUES_MAX = 100
"""Entries of one list of a CORS configuration. Ours."""

CORS_MAX_AGE_MAX = 86_400
MAPPINGS_MAX = 100
"""Parameter mappings of one integration. Ours."""

ACCESS_LOG_FORMAT_MAX = 3_072
THROTTLE_RATE = 10_000.0
THROTTLE_BURST = 5_000
"""What an account may do in a second, all its APIs together; a stage's settings narrow it."""

BODY_BYTES_MAX = 10_485_760
HEAD_BYTES_MAX = 10_240
"""Request line and header values of one request together."""

APIS_CACHED_MAX = 1_000
"""APIs whose stages are kept ready in memory. Ours."""

DOCUMENT_BYTES_MAX = 6_291_456
"""An OpenAPI document to import."""
