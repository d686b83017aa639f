"""The errors of CloudWatch Logs, named as its model names them."""

from __future__ import annotations

from cumulet.core.errors import AwsError


class ResourceNotFoundException(AwsError):
    """The log group or stream does not exist."""


class ResourceAlreadyExistsException(AwsError):
    """The log group or stream exists."""


class InvalidParameterException(AwsError):
    """A parameter has a value that the operation does not take."""


class TooManyTagsException(AwsError):
    """A resource can have fifty tags."""


class ValidationException(AwsError):
    """What is asked is not allowed for this log group."""


class LimitExceededException(AwsError):
    """There are as many as there can be."""


class MalformedQueryException(AwsError):
    """A query cannot be read."""


def is_protected() -> ValidationException:
    """Deletion protection stands in the way."""
    return ValidationException(
        "The specified log group has deletion protection enabled. Disable it before deletion."
    )


def no_group() -> ResourceNotFoundException:
    """In AWS's words."""
    return ResourceNotFoundException("The specified log group does not exist.")


def no_stream() -> ResourceNotFoundException:
    """In AWS's words."""
    return ResourceNotFoundException("The specified log stream does not exist.")
