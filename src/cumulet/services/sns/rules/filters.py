"""Filter policies: which messages a subscription gets.

Follows https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from cumulet.core.event_patterns import InvalidPattern, compile_pattern
from cumulet.services.sns.errors import invalid
from cumulet.services.sns.limits import FILTER_COMBINATIONS_MAX, FILTER_KEYS_MAX
from cumulet.services.sns.model import Message, Subscription

Passes = Callable[[Message], bool]

_ON_BODY = "MessageBody"


def passes_of(subscription: Subscription) -> Passes | None:
    """The filter of a subscription as a test; None when it gets everything."""
    text = subscription.attributes.get("FilterPolicy", "")
    if not text or text == "{}":
        return None
    test = compile_pattern(text)
    if subscription.attributes.get("FilterPolicyScope") == _ON_BODY:
        return lambda message: test(_body(message.text))
    return lambda message: test(_facts(message))


def _body(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _facts(message: Message) -> dict[str, Any]:
    """The attributes as values: arrays and numbers are what they say, binary ones do not count."""
    found: dict[str, Any] = {}
    for name, (kind, value) in message.attributes.items():
        if isinstance(value, bytes):
            continue
        if kind == "Number" or kind == "String.Array":
            found[name] = _body(value)
        else:
            found[name] = value
    return found


def check_filter(text: str, scope: str) -> None:
    """Raises InvalidParameterException unless the text is a filter policy of that scope."""
    if not text or text == "{}":
        return
    try:
        compile_pattern(text)
    except InvalidPattern as cause:
        raise invalid(f"FilterPolicy: {cause}") from cause
    policy = json.loads(text)
    if scope != _ON_BODY and any(isinstance(value, dict) for value in policy.values()):
        raise invalid("Filter policy scope MessageAttributes does not support nested filter policy")
    combinations, keys = _measure(policy, 1)
    if keys > FILTER_KEYS_MAX:
        raise invalid("FilterPolicy: Filter policy can not have more than 5 keys")
    if combinations > FILTER_COMBINATIONS_MAX:
        raise invalid("FilterPolicy: Filter policy is too complex")


def _measure(policy: Mapping[str, Any], depth: int) -> tuple[int, int]:
    """How many combinations of values there are, and how many keys; deeper values count more."""
    combinations, keys = 1, 0
    for name, value in policy.items():
        if name == "$or" and isinstance(value, list):
            measured = [_measure(one, depth) for one in value]
            combinations *= sum(count for count, _ in measured)
            keys += sum(count for _, count in measured)
        elif isinstance(value, dict):
            inner, inner_keys = _measure(value, depth + 1)
            combinations *= inner
            keys += inner_keys
        else:
            combinations *= len(value) * depth
            keys += 1
    return combinations, keys
