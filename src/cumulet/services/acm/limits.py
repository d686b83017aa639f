"""The bounds of Certificate Manager.

https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html
"""

CERTIFICATES_MAX = 2_500
"""Certificates of one account in one region."""

NAMES_MAX = 100
"""Names of one certificate, which AWS raises on request; what is asked for first is 10."""

TAGS_MAX = 50
PAGE_DEFAULT = 100
SUMMARY_NAMES_MAX = 100

VALID_DAYS = 198
"""For how long a requested certificate is good.

https://docs.aws.amazon.com/acm/latest/userguide/acm-certificate-characteristics.html
"""

RENEW_DAYS = 45
"""A requested certificate that ends sooner than this is issued anew."""

RENEW_CHECK_SECONDS = 3_600.0
"""How often certificates are looked at for renewal. Ours."""

TOKEN_SECONDS = 3_600
"""For how long an idempotency token means the same request."""
