"""Lambda authorizers: asking the function, reading its policy, keeping it for a while.

What goes to the function, and what a refusal looks like, is the business of each kind of API.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import Principal
from cumulet.kit.policy import (
    Decision,
    IdentityPolicies,
    MalformedPolicy,
    Policy,
    Question,
    decide,
    looks_at_context,
    parse_policy,
)
from cumulet.kit.ports import Credentials
from cumulet.services.apigateway.admission.limits import (
    AUTHORIZATIONS_CACHED_MAX,
    AUTHORIZER_ANSWER_BYTES_MAX,
    AUTHORIZER_SECONDS_MAX,
    DECISIONS_REMEMBERED_MAX,
)

Wait = Callable[[Coroutine[Any, Any, dict[str, Any]], float], Awaitable[dict[str, Any]]]

Keys = Callable[[], Mapping[str, Any]]

INVOKE = "execute-api:Invoke"
_SESSION = "BackplaneAssumeRoleSession"
_UNAUTHORIZED = "Unauthorized"


class AuthorizerError(Exception):
    """No answer that can be used.

    `unauthorized`: the function says that it knows nobody. `failed`: it failed or took too long.
    `misconfigured`: it cannot be invoked, or its answer is malformed. The text is for operators.
    """

    def __init__(self, kind: Literal["unauthorized", "failed", "misconfigured"], text: str) -> None:
        super().__init__(text)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class AuthorizerFunction:
    """A function that authorizes. `gateway` is API Gateway itself, with the authorizer's ARN as
    the source that the function's policy may ask for; `credentials` is a role's ARN, or empty.
    """

    function: str
    region: str
    gateway: Principal
    credentials: str


@dataclass(frozen=True, slots=True)
class Grant:
    """What a function said of a caller. `context` is flat; its values are texts.

    `document` is the policy's own JSON; `usage_key` is the value of the caller's API key, or empty.
    `decided` remembers decisions that no condition had a part in, by what they were about.
    """

    principal_id: str
    policy: Policy
    document: Mapping[str, Any]
    context: Mapping[str, str]
    usage_key: str
    decided: dict[str, Decision] = field(default_factory=dict, compare=False, repr=False)


async def ask(
    ctx: Context, asked: AuthorizerFunction, event: Mapping[str, Any], wait: Wait
) -> bytes:
    """Invoke the function; its answer as it is. Raises AuthorizerError.

    `wait` gives the outcome of the invocation, or raises TimeoutError and leaves it to its own end.
    """
    try:
        answer = await wait(_invoke(ctx, asked, orjson.dumps(event)), AUTHORIZER_SECONDS_MAX)
    except TimeoutError as cause:
        raise AuthorizerError("failed", "the authorizer's function took too long") from cause
    except AwsError as cause:
        raise AuthorizerError("misconfigured", f"{cause.code}: {cause.message}") from cause
    payload: bytes = answer.get("Payload") or b""
    if answer.get("FunctionError"):
        if _error_message(payload) == _UNAUTHORIZED:
            raise AuthorizerError("unauthorized", "the authorizer's function said Unauthorized")
        raise AuthorizerError("failed", "the authorizer's function failed")
    if len(payload) > AUTHORIZER_ANSWER_BYTES_MAX:
        raise AuthorizerError("misconfigured", "the authorizer's answer is too long")
    return payload


async def _invoke(ctx: Context, asked: AuthorizerFunction, payload: bytes) -> dict[str, Any]:
    caller = ctx.acting_as(asked.gateway, region=asked.region)
    if asked.credentials:
        session = await caller.call(
            "sts", "AssumeRole", RoleArn=asked.credentials, RoleSessionName=_SESSION
        )
        keys = session["Credentials"]
        found = await caller.need(Credentials).find(keys["AccessKeyId"], keys["SessionToken"])
        if found is None:
            raise AuthorizerError("misconfigured", "the session of the authorizer's role is gone")
        caller = caller.acting_as(found.principal, region=asked.region)
    answer: dict[str, Any] = await caller.call(
        "lambda",
        "Invoke",
        FunctionName=asked.function,
        InvocationType="RequestResponse",
        Payload=payload,
    )
    return answer


def _error_message(payload: bytes) -> str:
    try:
        answer = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return ""
    message = answer.get("errorMessage") if isinstance(answer, dict) else None
    return message if isinstance(message, str) else ""


def parse_grant(payload: bytes) -> Grant:
    """Read an answer with a policy document. Raises AuthorizerError when it is malformed."""
    try:
        answer = orjson.loads(payload)
    except orjson.JSONDecodeError as cause:
        raise AuthorizerError("misconfigured", "the authorizer's answer is not JSON") from cause
    if not isinstance(answer, dict):
        raise AuthorizerError("misconfigured", "the authorizer's answer is no object")
    principal_id = answer.get("principalId")
    document = answer.get("policyDocument")
    usage_key = answer.get("usageIdentifierKey")
    if not isinstance(principal_id, str) or not principal_id:
        raise AuthorizerError("misconfigured", "the authorizer's answer has no principalId")
    if not isinstance(document, dict) or "Statement" not in document:
        raise AuthorizerError("misconfigured", "the authorizer's answer has no policyDocument")
    if not isinstance(usage_key, str | None):
        raise AuthorizerError("misconfigured", "the authorizer's usageIdentifierKey is no text")
    try:
        policy = parse_policy("authorizer", document)
    except MalformedPolicy as cause:
        raise AuthorizerError("misconfigured", f"the authorizer's policy: {cause}") from cause
    context = flat_context(answer.get("context"))
    return Grant(principal_id, policy, document, context, usage_key or "")


def flat_context(given: Any) -> dict[str, str]:
    """The context as texts. Raises AuthorizerError for lists and objects in it, as AWS does."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise AuthorizerError("misconfigured", "the authorizer's context is no object")
    found: dict[str, str] = {}
    for name, value in given.items():
        match value:
            case str():
                found[name] = value
            case bool():
                found[name] = "true" if value else "false"
            case int() | float():
                found[name] = orjson.dumps(value).decode()
            case None:
                continue
            case _:
                raise AuthorizerError(
                    "misconfigured", f"the authorizer's context has no flat value for {name}"
                )
    return found


def judge(grant: Grant, account: str, resource: str, keys: Mapping[str, Any] | Keys) -> Decision:
    """What the policy says of `execute-api:Invoke` on an ARN.

    `keys` are the condition keys, or the function that gives them if they are asked for.
    """
    known = grant.decided.get(resource)
    if known is not None:
        return known
    identity = IdentityPolicies((grant.policy,))
    is_open = looks_at_context(INVOKE, identity, ())
    given = (keys() if callable(keys) else keys) if is_open else {}
    caller = Principal("user", account, grant.principal_id, grant.principal_id)
    decision = decide(Question(caller, INVOKE, resource, given), identity, (), account)
    if not is_open:
        if len(grant.decided) >= DECISIONS_REMEMBERED_MAX:
            grant.decided.clear()
        grant.decided[resource] = decision
    return decision


class Grants:
    """Answers of functions by what they were asked for, until their time is over."""

    def __init__(self, entries_max: int = AUTHORIZATIONS_CACHED_MAX) -> None:
        self._max = entries_max
        self._kept: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()

    def find(self, key: Hashable, now: float) -> Any | None:
        """What was kept under this key, unless its time is over. `now` in monotonic seconds."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept[0] <= now:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return kept[1]

    def keep(self, key: Hashable, answer: Any, until: float) -> None:
        """Keep an answer; the one used longest ago goes when there are too many."""
        self._kept[key] = (until, answer)
        self._kept.move_to_end(key)
        if len(self._kept) > self._max:
            self._kept.popitem(last=False)
