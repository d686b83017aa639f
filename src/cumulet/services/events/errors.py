"""The errors of EventBridge and its Scheduler, in AWS's words."""

from __future__ import annotations

from cumulet.core.errors import AwsError


class ValidationException(AwsError):
    """A parameter has a value that the operation does not take."""


class ResourceNotFoundException(AwsError):
    """There is no such bus, rule, schedule or group."""


class ResourceAlreadyExistsException(AwsError):
    """There is such a bus already."""


class IllegalStatusException(AwsError):
    """A replay is not in a state in which that can be done."""


class InvalidEventPatternException(AwsError):
    """The pattern is not one."""


class LimitExceededException(AwsError):
    """The account, bus or rule would have too many."""


class PolicyLengthExceededException(AwsError):
    """The bus's policy would be too long."""


class ConflictException(AwsError):
    """There is such a schedule or group already."""


class ServiceQuotaExceededException(AwsError):
    """The account would have too many."""


def no_bus(name: str) -> ResourceNotFoundException:
    """In AWS's words."""
    return ResourceNotFoundException(f"Event bus {name} does not exist.")


def no_rule(name: str, bus: str) -> ResourceNotFoundException:
    """In AWS's words."""
    return ResourceNotFoundException(f"Rule {name} does not exist on EventBus {bus}.")
