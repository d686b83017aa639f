"""What AWS charges for an invocation: the request, and memory for the time it was billed.

https://aws.amazon.com/lambda/pricing/
"""

from __future__ import annotations

from cumulet.core import usage
from cumulet.core.context import Context
from cumulet.kit.ports import Usage
from cumulet.sandbox import Usage as Spent
from cumulet.services.lambda_.forms.names import FunctionRef
from cumulet.services.lambda_.model import Version

_FREE_STORAGE_MB = 512


def charge(ctx: Context, ref: FunctionRef, version: Version, spent: Spent) -> None:
    """Tell what an invocation used; the function may be of another account than its caller."""
    settings, seconds = version.settings, spent.billed_ms / 1000
    is_arm = settings.architecture == "arm64"
    requests = usage.LAMBDA_REQUESTS_ARM if is_arm else usage.LAMBDA_REQUESTS
    gb_seconds = usage.LAMBDA_GB_SECONDS_ARM if is_arm else usage.LAMBDA_GB_SECONDS
    used, trace = ctx.need(Usage).used, ctx.trace
    scope, arn = ref.scope, ref.unqualified_arn
    used(scope, arn, requests, 1.0, trace)
    used(scope, arn, gb_seconds, settings.memory_mb / 1024 * seconds, trace)
    if settings.ephemeral_mb > _FREE_STORAGE_MB:
        extra = (settings.ephemeral_mb - _FREE_STORAGE_MB) / 1024 * seconds
        used(scope, arn, usage.LAMBDA_STORAGE_SECONDS, extra, trace)
