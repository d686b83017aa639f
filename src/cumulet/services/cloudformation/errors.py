"""What CloudFormation says when it refuses, named as its model names the errors."""

from __future__ import annotations

from cumulet.core.errors import AwsError


class ValidationError(AwsError):
    """The request, the template or the state of the stack does not allow it.

    CloudFormation answers nearly every refusal with this code, see
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html
    """

    status = 400


class AlreadyExistsException(AwsError):
    """A stack or change set of that name exists."""

    status = 400


class ChangeSetNotFoundException(AwsError):
    """No such change set; its code on the wire is `ChangeSetNotFound`."""

    status = 404

    def __init__(self, message: str) -> None:
        super().__init__(message, code="ChangeSetNotFound")


class InvalidChangeSetStatusException(AwsError):
    """The change set cannot be executed or deleted now; on the wire `InvalidChangeSetStatus`."""

    status = 400

    def __init__(self, message: str) -> None:
        super().__init__(message, code="InvalidChangeSetStatus")


class InsufficientCapabilitiesException(AwsError):
    """The template does more than the caller acknowledged."""

    status = 400


class TokenAlreadyExistsException(AwsError):
    """The client request token was used for another kind of action on this stack."""

    status = 400


class LimitExceededException(AwsError):
    """A quota is reached."""

    status = 400
