"""The errors of CloudWatch metrics, named as the model names their shapes."""

from __future__ import annotations

from cumulet.core.errors import AwsError


class InvalidParameterValueException(AwsError):
    """A parameter has a value that the operation does not take."""


class InvalidParameterCombinationException(AwsError):
    """Parameters that exclude one another were given."""


class MissingRequiredParameterException(AwsError):
    """A parameter that the others ask for is missing."""


class ValidationException(AwsError):
    """A query of metric data does not hold."""


class InvalidNextToken(AwsError):
    """The token was not given by this operation, or not for this request."""


class ResourceNotFound(AwsError):
    """What is named does not exist."""


class ResourceNotFoundException(AwsError):
    """What an ARN names does not exist."""


class LimitExceededFault(AwsError):
    """There are as many alarms as there can be."""


class InvalidFormatFault(AwsError):
    """A text is not the JSON that it should be."""


class DashboardInvalidInputError(AwsError):
    """The body of a dashboard does not hold."""


class DashboardNotFoundError(AwsError):
    """A dashboard does not exist."""
