"""One call of a resource type's verb: with values looked up, bounded in time, failures in words."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar

from cumulet.core.clock import new_uuid
from cumulet.core.errors import AwsError
from cumulet.core.trace import log_cause
from cumulet.kit.resource_schema import PropertyError, checked
from cumulet.kit.resources import Draft, PartlyMade, Provisioned
from cumulet.services.cloudformation import limits
from cumulet.services.cloudformation.engine.schedule import StepFailed
from cumulet.services.cloudformation.engine.waits import StepCancelled
from cumulet.services.cloudformation.engine.work import Work
from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.model import Former, Resource
from cumulet.services.cloudformation.template.lookups import resolved

T = TypeVar("T")

CANCELLED = "Resource creation cancelled"


def step_token(run_id: str, step: str) -> str:
    """The token of a step: the same each time, and unlike that of any other step."""
    digest = hashlib.sha256(f"{run_id}/{step}".encode()).digest()
    return base64.b32encode(digest).decode().rstrip("=").lower()[:32]


async def create(
    work: Work, logical_id: str, type_name: str, token: str, properties: Mapping[str, Any]
) -> Provisioned:
    """Make a resource. Raises StepFailed, or PartlyMade whose cause is a StepFailed."""
    draft = draft_of(work, logical_id, type_name, token)
    try:
        return await _bounded(work, _create(work, type_name, properties, draft))
    except PartlyMade as partly:
        failure = StepFailed(_words(work, partly.__cause__ or partly, type_name))
        raise PartlyMade(partly.physical_id, partly.attributes) from failure
    except Exception as cause:
        raise StepFailed(_words(work, cause, type_name)) from cause


async def _create(
    work: Work, type_name: str, properties: Mapping[str, Any], draft: Draft
) -> Provisioned:
    ctx = await work.acting_for(draft.logical_id, draft.token)
    final = await _final(work, type_name, properties)
    return await work.types[type_name].create(ctx, final, draft)


async def update(
    work: Work, resource: Resource, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Provisioned:
    """Change a resource in place. Raises StepFailed."""
    verb = work.types[resource.type].update
    if verb is None:
        raise StepFailed(f"Update is not supported for {resource.type}")
    token = step_token(work.run.id, f"{resource.logical_id}/{work.run.phase}")
    draft = draft_of(work, resource.logical_id, resource.type, token)

    async def run() -> Provisioned:
        ctx = await work.acting_for(resource.logical_id, token)
        before = await _final(work, resource.type, old)
        after = await _final(work, resource.type, new)
        return await verb(ctx, resource.physical_id, before, after, draft)

    try:
        return await _bounded(work, run())
    except Exception as cause:
        raise StepFailed(_words(work, cause, resource.type)) from cause


async def delete(work: Work, logical_id: str, thing: Former) -> None:
    """Delete what is physical. Raises StepFailed."""
    token = step_token(work.run.id, f"{logical_id}/delete/{thing.physical_id}")
    draft = draft_of(work, logical_id, thing.type, token)
    type_ = work.types[thing.type]

    async def run() -> None:
        ctx = await work.acting_for(logical_id, token)
        properties = work.safe.take(thing.properties)
        if type_.delete_knowing is not None:
            await type_.delete_knowing(ctx, thing.physical_id, properties, draft)
        else:
            await type_.delete(ctx, thing.physical_id, properties)

    try:
        await _bounded(work, run())
    except Exception as cause:
        raise StepFailed(_words(work, cause, thing.type)) from cause


def draft_of(work: Work, logical_id: str, type_name: str, token: str) -> Draft:
    """What the type may know of the stack."""
    return Draft(
        stack_id=work.stack.arn,
        stack_name=work.stack.name,
        logical_id=logical_id,
        token=token,
        resumed=logical_id in work.resumed and logical_id in work.touched,
        type_name=type_name,
    )


async def _final(work: Work, type_name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties with dynamic references looked up, which may turn into other types."""
    ctx = await work.acting()
    known = await resolved(ctx, type_name, properties)
    if known == properties:
        return known
    final: dict[str, Any] = checked(work.types[type_name].properties, known)
    return final


async def _bounded(work: Work, verb: Awaitable[T]) -> T:
    """The step's own time; a clock that tests move does not count here, so real time is used."""
    async with asyncio.timeout(limits.STEP_SECONDS_MAX):
        return await verb


def _words(work: Work, cause: BaseException, type_name: str) -> str:
    if isinstance(cause, StepFailed | ValidationError | PropertyError):
        return str(cause)
    if isinstance(cause, StepCancelled):
        return CANCELLED
    if isinstance(cause, TimeoutError):
        return f"Exceeded attempts to wait: {type_name} did not stabilize"
    token = new_uuid(work.platform.clock)
    if isinstance(cause, AwsError):
        message, kind = cause.message, _handler_code(cause)
    else:
        log_cause(token, "a resource type failed", cause, type=type_name, stack=work.stack.arn)
        message, kind = "Internal Failure", "InternalFailure"
    return (
        f'Resource handler returned message: "{message}" '
        f"(RequestToken: {token}, HandlerErrorCode: {kind})"
    )


def _handler_code(cause: AwsError) -> str:
    """https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html"""
    code = cause.code.removesuffix("Exception")
    for words, kind in (
        (("AccessDenied", "Unauthorized", "NotAuthorized"), "AccessDenied"),
        (("AlreadyExists", "EntityAlreadyExists", "AlreadyOwnedByYou"), "AlreadyExists"),
        (("NotFound", "NoSuch", "NotExist", "NonExistent"), "NotFound"),
        (("Throttl", "TooManyRequests"), "Throttling"),
        (("Limit", "Quota"), "ServiceLimitExceeded"),
        (("InternalFailure", "ServiceUnavailable", "OperationNotImplemented"), "InternalFailure"),
    ):
        if any(word in code for word in words):
            return kind
    return "InvalidRequest"
