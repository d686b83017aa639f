"""The errors of EC2 and Run Command, in AWS's words."""

from __future__ import annotations

from cumulet.core.errors import AwsError


class InvalidInstanceId(AwsError):
    """Run Command knows no such host."""


class InvalidDocument(AwsError):
    """There is no such document."""


class InvalidParameters(AwsError):
    """The document cannot be run with these parameters."""


class DuplicateInstanceId(AwsError):
    """A host is named twice."""


class InvalidCommandId(AwsError):
    """There is no such command."""


class InvocationDoesNotExist(AwsError):
    """The command was not sent to that host."""


class InvalidPluginName(AwsError):
    """The document has no such step."""


class InvalidFilterKey(AwsError):
    """Nothing can be found by that."""


def ec2(code: str, message: str) -> AwsError:
    """An error of EC2, whose codes have dots and no shapes."""
    return AwsError(message, code=code, http_status=400)
