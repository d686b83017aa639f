"""Lambda's modelled errors; the sentences are AWS's."""

from __future__ import annotations

from typing import Any, ClassVar

from cumulet.core.errors import AwsError


class LambdaError(AwsError):
    """An error of Lambda's model, which says whose fault it is in `Type`."""

    blame: ClassVar[str] = "User"

    def __init__(self, message: str = "", **fields: Any) -> None:
        super().__init__(message, **{"Type": type(self).blame, **fields})


class InvalidParameterValueException(LambdaError):
    """A parameter breaks a rule that the model does not state."""

    status = 400


class ResourceNotFoundException(LambdaError):
    """The function, version, alias, layer or policy does not exist."""

    status = 404


class ResourceConflictException(LambdaError):
    """The resource exists already, or is in use."""

    status = 409


class PreconditionFailedException(LambdaError):
    """The revision id is not the latest one."""

    status = 412


class TooManyRequestsException(LambdaError):
    """The concurrency of the function or of the account is used up; `Reason` says which."""

    status = 429


class InvalidRequestContentException(LambdaError):
    """The payload is not JSON."""

    status = 400


class RequestEntityTooLargeException(LambdaError):
    """The payload or package is larger than the operation takes."""

    status = 413


class PolicyLengthExceededException(LambdaError):
    """The resource policy would grow beyond its limit."""

    status = 400


class CodeStorageExceededException(LambdaError):
    """The account's storage for packages is used up."""

    status = 400


class CodeSigningConfigNotFoundException(LambdaError):
    """The code signing configuration does not exist."""

    status = 404


class ProvisionedConcurrencyConfigNotFoundException(LambdaError):
    """The alias or version has no provisioned concurrency."""

    status = 404


class RecursiveInvocationException(LambdaError):
    """The function is part of a loop of functions that call each other."""

    status = 400


class InvalidRuntimeException(LambdaError):
    """This machine cannot run the runtime."""

    status = 502
    blame = "System"


class InvalidZipFileException(LambdaError):
    """The package cannot be unpacked; found only when it is first run."""

    status = 502
    blame = "System"


class ServiceException(LambdaError):
    """Lambda itself failed to run the function."""

    status = 500
    fault = "server"
    blame = "System"
