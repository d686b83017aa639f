"""The errors of IAM and STS, named as their models name them."""

from cumulet.core.errors import AwsError


class ConcurrentModificationException(AwsError):
    """Somebody else changed the entity at the same time."""


class DeleteConflictException(AwsError):
    """The entity still has parts that must go first."""


class EntityAlreadyExistsException(AwsError):
    """The name is taken; case does not distinguish names."""


class InvalidInputException(AwsError):
    """A value cannot be what it must be."""


class LimitExceededException(AwsError):
    """The account's quota is reached."""


class MalformedPolicyDocumentException(AwsError):
    """The policy is not one; the message says why."""


class NoSuchEntityException(AwsError):
    """There is nothing of that name."""


class PolicyNotAttachableException(AwsError):
    """The policy is for AWS's own services."""


class UnmodifiableEntityException(AwsError):
    """The role belongs to a service."""


class PackedPolicyTooLargeException(AwsError):
    """The session's policies and tags do not fit into a token."""


class InvalidIdentityTokenException(AwsError):
    """The token of the web identity is not valid, or its issuer is not known."""


class IDPRejectedClaimException(AwsError):
    """The claims of the web identity do not allow it."""


def missing(kind: str, name: str) -> NoSuchEntityException:
    """The error that says that there is no such user, group or role."""
    return NoSuchEntityException(f"The {kind} with name {name} cannot be found.")
