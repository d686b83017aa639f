"""The bounds of custom domains and client certificates.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mutual-tls.html
"""

DOMAINS_MAX = 120
"""Public custom domain names of one account in one region."""

MAPPINGS_MAX = 200
"""API mappings of one domain name."""

MAPPING_KEY_LENGTH_MAX = 300
"""One base path. AWS states 300 for mappings of several levels."""

TRUSTSTORE_BYTES_MAX = 1_000_000
"""AWS: one megabyte. What is kept is smaller: the certificates alone, in DER form."""

TRUSTSTORE_CERTIFICATES_MAX = 1_000

WARNINGS_MAX = 50
"""Warnings kept of one trust store. Ours."""

CERTIFICATE_BYTES_MAX = 131_072
"""An imported certificate, its chain, or its key, each. Ours."""

CLIENT_CERTIFICATES_MAX = 60
CLIENT_CERTIFICATE_DAYS = 365

ROUTES_MAX = 100_000
"""Domains of all accounts that are kept ready in memory. Ours."""
