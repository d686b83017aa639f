"""The errors of Cost Explorer, named as its model names them.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetCostAndUsage.html#API_GetCostAndUsage_Errors
"""

from __future__ import annotations

from cumulet.core.errors import AwsError


class ValidationException(AwsError):
    """A parameter does not hold; the model has no such shape, and AWS answers it all the same."""


class BillExpirationException(AwsError):
    """The time is longer ago than usage is kept."""


class DataUnavailableException(AwsError):
    """There is no such data."""


class InvalidNextTokenException(AwsError):
    """The token is of no page of this question."""


class RequestChangedException(AwsError):
    """The request is not the one whose page the token is of."""


class LimitExceededException(AwsError):
    """There is more data than one answer is made of."""
