"""Second step: who calls, and whether the API's policy and the caller's own let it through."""

from __future__ import annotations

from dataclasses import dataclass

from cumulet.core.context import Context, Platform
from cumulet.core.errors import (
    AwsError,
    ExpiredToken,
    IncompleteSignature,
    RequestExpired,
    SignatureMismatch,
    UnknownKey,
)
from cumulet.core.identity import ANONYMOUS, Principal
from cumulet.kit.conditions import condition_keys
from cumulet.kit.policy import Decision, IdentityPolicies, Question, decide
from cumulet.kit.ports import Authenticator, Policies
from cumulet.services.apigateway.pipeline.faults import (
    GatewayFault,
    access_denied,
    missing_token,
)
from cumulet.services.apigateway.pipeline.match import Matched
from cumulet.services.apigateway.rules.names import invoke_arn

_ACTION = "execute-api:Invoke"

_SIGNATURE_FAULTS: dict[type[AwsError], tuple[str, str]] = {
    SignatureMismatch: ("INVALID_SIGNATURE", "InvalidSignatureException"),
    RequestExpired: ("INVALID_SIGNATURE", "InvalidSignatureException"),
    UnknownKey: ("ACCESS_DENIED", "UnrecognizedClientException"),
    ExpiredToken: ("EXPIRED_TOKEN", "ExpiredTokenException"),
    IncompleteSignature: ("INVALID_SIGNATURE", "IncompleteSignatureException"),
}


@dataclass(frozen=True, slots=True)
class Authorized:
    """A request that may go on, and who sent it."""

    matched: Matched
    caller: Principal


async def authorize(platform: Platform, ctx: Context, matched: Matched) -> Authorized:
    """Check the signature where one is needed, then the policies. Raises GatewayFault.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
    """
    needs_signature = matched.method.authorization_type == "AWS_IAM"
    if not needs_signature and not matched.stage.policies:
        return Authorized(matched, ANONYMOUS)
    caller = await _caller(platform, matched) if needs_signature else ANONYMOUS
    identity = IdentityPolicies()
    if caller.kind not in ("anonymous", "root", "service"):
        identity = await platform.need(Policies).of(caller)  # type: ignore[type-abstract]
    question = _question(ctx.acting_as(caller), matched, caller)
    decision = decide(question, identity, matched.stage.policies, matched.stage.scope.account)
    ctx.trace.note(iam_action=_ACTION, iam_resource=question.resource, iam_reason=decision.reason)
    if not decision.allowed:
        raise access_denied(_refusal(question, decision))
    return Authorized(matched, caller)


async def _caller(platform: Platform, matched: Matched) -> Principal:
    arrival = matched.arrival
    authenticator = platform.need(Authenticator)  # type: ignore[type-abstract]
    try:
        caller = await authenticator.authenticate(arrival.request, "execute-api", arrival.body)
    except AwsError as error:
        kind, name = _SIGNATURE_FAULTS.get(
            type(error), ("INVALID_SIGNATURE", "InvalidSignatureException")
        )
        if error.http_status is not None and error.http_status >= 500:
            raise
        raise GatewayFault(kind, 403, name, error.message) from error
    if caller.kind == "anonymous":
        raise missing_token()
    return caller


def _question(ctx: Context, matched: Matched, caller: Principal) -> Question:
    stage = matched.stage
    method = matched.arrival.request.method
    arn = invoke_arn(stage.scope, stage.api_id, stage.stage_name, method, matched.path)
    keys = condition_keys(ctx)
    keys["aws:ResourceAccount"] = stage.scope.account
    return Question(caller, _ACTION, arn, keys)


def _refusal(question: Question, decision: Decision) -> str:
    """AWS's sentence; all but the last four digits of the API's account are hidden."""
    parts = question.resource.split(":", 5)
    parts[4] = "*" * 8 + parts[4][-4:]
    who = "anonymous" if question.caller.kind == "anonymous" else question.caller.arn
    because = " with an explicit deny" if decision.effect == "deny" else ""
    return (
        f"User: {who} is not authorized to perform: {_ACTION} on resource: "
        f"{':'.join(parts)}{because}"
    )
