"""AWS_IAM: the request's signature, and what its signer's policies allow.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html
"""

from __future__ import annotations

from cumulet.core.context import Context, Platform
from cumulet.core.errors import AwsError
from cumulet.kit.conditions import condition_keys
from cumulet.kit.policy import IdentityPolicies, Question, decide
from cumulet.kit.ports import Authenticator, Policies
from cumulet.services.apigateway.admission.authorizers import INVOKE
from cumulet.services.apigateway.rules.names import invoke_arn
from cumulet.services.apigateway.v2.http.arrival import Authorized, Matched
from cumulet.services.apigateway.v2.http.refusals import forbidden


def route_arn(matched: Matched) -> str:
    """The ARN that `execute-api:Invoke` is asked for: the method and path that are called."""
    stage = matched.stage
    method = matched.arrival.request.method
    return invoke_arn(stage.scope, stage.api_id, stage.name, method, matched.path)


async def by_signature(platform: Platform, ctx: Context, matched: Matched) -> Authorized:
    """Check the signature, then the signer's own policies: HTTP APIs have none themselves."""
    arrival = matched.arrival
    authenticator = platform.need(Authenticator)
    try:
        caller = await authenticator.authenticate(arrival.request, "execute-api", arrival.body)
    except AwsError as error:
        if error.http_status is not None and error.http_status >= 500:
            raise
        raise forbidden(f"{error.code}: {error.message}") from error
    if caller.kind == "anonymous":
        raise forbidden("the request is not signed")
    identity = IdentityPolicies()
    if caller.kind not in ("root", "service"):
        identity = await platform.need(Policies).of(caller)
    acting = ctx.acting_as(caller)
    keys = {**condition_keys(acting), "aws:ResourceAccount": matched.stage.scope.account}
    question = Question(caller, INVOKE, route_arn(matched), keys)
    decision = decide(question, identity, (), matched.stage.scope.account)
    ctx.trace.note(iam_action=INVOKE, iam_resource=question.resource, iam_reason=decision.reason)
    if not decision.allowed:
        raise forbidden(f"{INVOKE} on {question.resource} {decision.reason}")
    return Authorized(matched, caller)
