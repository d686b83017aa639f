"""API Gateway's modelled errors, and the sentences for things that are not there."""

from __future__ import annotations

from typing import ClassVar

from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope


class BadRequestException(AwsError):
    """The request cannot be carried out as it stands."""

    status: ClassVar[int | None] = 400


class NotFoundException(AwsError):
    """Something that the request names does not exist."""

    status: ClassVar[int | None] = 404


class ConflictException(AwsError):
    """The state of the API forbids the change."""

    status: ClassVar[int | None] = 409


class LimitExceededException(AwsError):
    """A bound of `limits.py` would be passed."""

    status: ClassVar[int | None] = 429


def no_api(scope: Scope, api_id: str) -> NotFoundException:
    """The API is not there; AWS names the account with it."""
    return NotFoundException(f"Invalid API identifier specified {scope.account}:{api_id}")


def no_resource() -> NotFoundException:
    """The resource is not there; also said when its API is not."""
    return NotFoundException("Invalid Resource identifier specified")


def no_method() -> NotFoundException:
    """The resource has no such method."""
    return NotFoundException("Invalid Method identifier specified")


def no_integration() -> NotFoundException:
    """The method has no integration."""
    return NotFoundException("Invalid Integration identifier specified")


def no_status_code() -> NotFoundException:
    """The method, or its integration, has no response of that status code."""
    return NotFoundException("Invalid Response status code specified")


def no_deployment() -> NotFoundException:
    """The API has no such deployment."""
    return NotFoundException("Invalid Deployment identifier specified")


def no_stage() -> NotFoundException:
    """The API has no such stage."""
    return NotFoundException("Invalid stage identifier specified")


def no_validator() -> NotFoundException:
    """The API has no such request validator."""
    return NotFoundException("Invalid Request Validator identifier specified")


def no_authorizer() -> NotFoundException:
    """The API has no such authorizer."""
    return NotFoundException("Invalid Authorizer identifier specified")


def no_key() -> NotFoundException:
    """There is no such API key."""
    return NotFoundException("Invalid API Key identifier specified")


def no_plan() -> NotFoundException:
    """There is no such usage plan."""
    return NotFoundException("Invalid Usage Plan ID specified")


def no_model(name: str) -> NotFoundException:
    """The API has no such model."""
    return NotFoundException(f"Invalid model name specified: {name}")


def not_yet(what: str) -> BadRequestException:
    """AWS has it and Cumulet does not: refused, never accepted and ignored."""
    return BadRequestException(f"{what} not supported by Cumulet yet.")
