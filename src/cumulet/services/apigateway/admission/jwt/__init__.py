"""JSON Web Tokens of OpenID issuers: read, verified with the issuer's keys, and checked."""
