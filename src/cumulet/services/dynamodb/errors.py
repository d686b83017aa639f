"""The errors of DynamoDB and its streams, named as its model names them."""

from __future__ import annotations

from cumulet.core.errors import AwsError


class ValidationException(AwsError):
    """The request, an expression or a value in it is not valid."""


class InvalidItem(ValidationException):
    """A key or item that does not fit its table, which a transaction tells as a reason."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="ValidationException")


class ResourceNotFoundException(AwsError):
    """The table, index or stream does not exist, or not yet."""


class ResourceInUseException(AwsError):
    """The table exists already, or is just being changed."""


class TableNotFoundException(AwsError):
    """The table of a backup operation does not exist."""


class LimitExceededException(AwsError):
    """More of something than an account or a table may have at once."""


class ConditionalCheckFailedException(AwsError):
    """The condition of a write did not hold."""


class DuplicateItemException(AwsError):
    """There is an item with the key that an INSERT was to make."""


class ProvisionedThroughputExceededException(AwsError):
    """A table or index had more requests than its capacity serves."""


class TransactionCanceledException(AwsError):
    """A transaction was cancelled; the reasons are told one for each of its parts."""


class IdempotentParameterMismatchException(AwsError):
    """A request token was used before with another request."""


class PolicyNotFoundException(AwsError):
    """The resource has no resource-based policy, or not of that revision."""


class TrimmedDataAccessException(AwsError):
    """The records asked for are older than 24 hours."""


class ExpiredIteratorException(AwsError):
    """A shard iterator was used after its fifteen minutes."""


class TableAlreadyExistsException(AwsError):
    """There is a table of the name that a restore was to make."""


class TableInUseException(AwsError):
    """The table is just being made or changed."""


class BackupNotFoundException(AwsError):
    """The backup does not exist."""


class BackupInUseException(AwsError):
    """The backup is just being made or restored."""


class PointInTimeRecoveryUnavailableException(AwsError):
    """The table has no point-in-time recovery."""


class InvalidRestoreTimeException(AwsError):
    """The table cannot be restored to that time."""


class InvalidExportTimeException(AwsError):
    """The table cannot be exported as of that time."""


class ExportNotFoundException(AwsError):
    """The export does not exist."""


class ExportConflictException(AwsError):
    """A client token was used before for another export."""


class ImportNotFoundException(AwsError):
    """The import does not exist."""


class ImportConflictException(AwsError):
    """A client token was used before for another import."""


class GlobalTableNotFoundException(AwsError):
    """The global table does not exist."""
