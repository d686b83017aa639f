"""The errors of X-Ray, named as its model names them."""

from __future__ import annotations

from cumulet.core.errors import AwsError


class InvalidRequestException(AwsError):
    """A parameter is missing or does not hold."""


class RuleLimitExceededException(AwsError):
    """There are as many sampling rules as there can be."""
