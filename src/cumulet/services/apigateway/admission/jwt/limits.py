"""The bounds of reading tokens and of fetching the keys of issuers. All are ours but the first two.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
"""

KEYS_SECONDS_MAX = 7_200.0
"""How long fetched keys are used: API Gateway keeps them for two hours."""

FETCH_SECONDS_MAX = 1.5
"""How long one request to an issuer may take: API Gateway waits 1,500 ms."""

REFETCH_SECONDS_MIN = 30.0
"""Keys are not fetched again sooner for a token that names an unknown one."""

FAILURE_SECONDS = 5.0
"""How long an issuer that could not be reached is not asked again."""

DOCUMENT_BYTES_MAX = 262_144
"""A discovery document or a key set."""

KEYS_MAX = 100
"""Keys of one set."""

ISSUERS_MAX = 500
"""Issuers whose keys are kept."""

TOKEN_BYTES_MAX = 16_384
RSA_BITS_MIN = 2_048
RSA_BITS_MAX = 8_192
VERIFIED_MAX = 10_000
"""Tokens whose signature is known to hold, so that it is not verified again."""
