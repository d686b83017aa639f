"""What IAM policies say of a request: the API's resource policy, and the signer's own.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
"""

from __future__ import annotations

from cumulet.core.context import Context, Platform
from cumulet.kit.conditions import condition_keys
from cumulet.kit.policy import Decision, IdentityPolicies, Question, decide
from cumulet.kit.ports import Policies
from cumulet.services.apigateway.admission.authorizers import INVOKE
from cumulet.services.apigateway.pipeline.faults import access_denied
from cumulet.services.apigateway.pipeline.match import Matched
from cumulet.services.apigateway.rules.names import invoke_arn


async def check_signer(platform: Platform, ctx: Context, matched: Matched) -> None:
    """The signer's policies and the API's together. Raises GatewayFault."""
    identity = IdentityPolicies()
    if ctx.caller.kind not in ("root", "service"):
        identity = await platform.need(Policies).of(ctx.caller)
    question = question_of(ctx, matched)
    decision = _decide(ctx, matched, question, identity)
    if not decision.allowed:
        raise access_denied(_refusal(question, decision))


def check_anyone(ctx: Context, matched: Matched, *, may_be_silent: bool) -> bool:
    """The API's policy alone, of an unsigned request; whether it allows it.

    Raises GatewayFault when it denies it, or is silent and may not be.
    """
    question = question_of(ctx, matched)
    decision = _decide(ctx, matched, question, IdentityPolicies())
    if decision.effect == "deny" or not (decision.allowed or may_be_silent):
        raise access_denied(_refusal(question, decision))
    return decision.allowed


def question_of(ctx: Context, matched: Matched) -> Question:
    """May the context's caller invoke this method?"""
    keys = condition_keys(ctx)
    keys["aws:ResourceAccount"] = matched.stage.scope.account
    return Question(ctx.caller, INVOKE, method_arn(matched), keys)


def method_arn(matched: Matched) -> str:
    """The ARN of this request's method and path."""
    stage = matched.stage
    verb = matched.arrival.request.method
    return invoke_arn(stage.scope, stage.api_id, stage.stage_name, verb, matched.path)


def _decide(
    ctx: Context, matched: Matched, question: Question, identity: IdentityPolicies
) -> Decision:
    decision = decide(question, identity, matched.stage.policies, matched.stage.scope.account)
    ctx.trace.note(iam_action=INVOKE, iam_resource=question.resource, iam_reason=decision.reason)
    return decision


def _refusal(question: Question, decision: Decision) -> str:
    """AWS's sentence; all but the last four digits of the API's account are hidden."""
    parts = question.resource.split(":", 5)
    parts[4] = "*" * 8 + parts[4][-4:]
    who = "anonymous" if question.caller.kind == "anonymous" else question.caller.arn
    because = " with an explicit deny" if decision.effect == "deny" else ""
    return (
        f"User: {who} is not authorized to perform: {INVOKE} on resource: "
        f"{':'.join(parts)}{because}"
    )
