"""When a failed delivery is tried again.

Follows https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from cumulet.services.sns.errors import invalid
from cumulet.services.sns.limits import (
    HTTP_AGE_SECONDS,
    HTTP_RETRIES_MAX,
    MANAGED_AGE_SECONDS,
)

DEFAULT_RETRY: dict[str, Any] = {
    "minDelayTarget": 20,
    "maxDelayTarget": 20,
    "numRetries": 3,
    "numMaxDelayRetries": 0,
    "numNoDelayRetries": 0,
    "numMinDelayRetries": 0,
    "backoffFunction": "linear",
}
DEFAULT_CONTENT_TYPE = "text/plain; charset=UTF-8"

_MANAGED = (0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.4, 2.0, 2.7, 3.8, 5.3, 7.4, 10.3, 14.3, 20.0)
"""Queues and functions: three at once, two a second apart, ten further and further apart."""
_MANAGED_LAST = 20.0
_CURVES: dict[str, Callable[[float], float]] = {
    "linear": lambda part: part,
    "arithmetic": lambda part: part * (part + 1) / 2,
    "geometric": lambda part: part * part,
    "exponential": lambda part: (2.0 ** (8 * part) - 1) / 255,
}


def managed_wait(attempts: int, age_seconds: float) -> float | None:
    """Seconds until a queue or function is tried again; None when there is no more patience.

    `attempts` have failed so far.
    """
    if age_seconds >= MANAGED_AGE_SECONDS:
        return None
    return _MANAGED[attempts - 1] if attempts <= len(_MANAGED) else _MANAGED_LAST


def http_wait(policy: Mapping[str, Any], attempts: int, age_seconds: float) -> float | None:
    """Seconds until an endpoint is tried again, by its policy; None when it has had them all."""
    retry = {**DEFAULT_RETRY, **policy}
    if attempts > retry["numRetries"] or age_seconds >= HTTP_AGE_SECONDS:
        return None
    at = attempts - 1 - int(retry["numNoDelayRetries"])
    if at < 0:
        return 0.0
    at -= int(retry["numMinDelayRetries"])
    least, most = float(retry["minDelayTarget"]), float(retry["maxDelayTarget"])
    if at < 0:
        return least
    steps = (
        retry["numRetries"]
        - retry["numNoDelayRetries"]
        - retry["numMinDelayRetries"]
        - retry["numMaxDelayRetries"]
    )
    if at >= steps:
        return most
    part = (at + 1) / steps
    return least + (most - least) * min(1.0, _CURVES[retry["backoffFunction"]](part))


def retry_of(policy: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of a delivery policy, of a topic or a subscription, that says when to try again."""
    http = policy.get("http")
    if isinstance(http, dict):
        found = http.get("defaultHealthyRetryPolicy")
    else:
        found = policy.get("healthyRetryPolicy")
    return found if isinstance(found, dict) else {}


def content_type_of(policy: Mapping[str, Any]) -> str:
    """The content type that a delivery policy asks for, or ""."""
    http = policy.get("http")
    wanted = (
        http.get("defaultRequestPolicy") if isinstance(http, dict) else policy.get("requestPolicy")
    )
    return str(wanted.get("headerContentType", "")) if isinstance(wanted, dict) else ""


def check_delivery_policy(text: str, *, of_topic: bool) -> None:
    """Raises InvalidParameterException for a delivery policy that cannot be kept."""
    if not text:
        return
    try:
        policy = json.loads(text)
    except ValueError as cause:
        raise invalid("DeliveryPolicy: failed to parse JSON.") from cause
    if not isinstance(policy, dict):
        raise invalid("DeliveryPolicy: failed to parse JSON.")
    if of_topic:
        _check_members(policy, {"http"})
        policy = policy.get("http", {})
        names = ("defaultHealthyRetryPolicy", "defaultRequestPolicy")
        _check_members(policy, {*names, "disableSubscriptionOverrides"})
    else:
        names = ("healthyRetryPolicy", "requestPolicy")
        _check_members(policy, set(names))
    _check_retry(policy.get(names[0]) or {})
    request = policy.get(names[1]) or {}
    _check_members(request, {"headerContentType"})


def _check_members(given: Any, known: set[str]) -> None:
    if not isinstance(given, dict):
        raise invalid("DeliveryPolicy: Expected an object")
    for name in given:
        if name not in known:
            raise invalid(f"DeliveryPolicy: Unexpected JSON member: {name}")


def _check_retry(given: Any) -> None:
    _check_members(given, set(DEFAULT_RETRY))
    retry = {**DEFAULT_RETRY, **{key: value for key, value in given.items() if value is not None}}
    if retry["backoffFunction"] not in _CURVES:
        raise invalid("DeliveryPolicy: backoffFunction must be one of " + ", ".join(_CURVES))
    for name, value in retry.items():
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if name != "backoffFunction" and (not is_number or value < 0):
            raise invalid(f"DeliveryPolicy: {name} must be a positive number")
    if retry["numRetries"] > HTTP_RETRIES_MAX:
        raise invalid(f"DeliveryPolicy: numRetries must be at most {HTTP_RETRIES_MAX}")
    if not 1 <= retry["minDelayTarget"] <= retry["maxDelayTarget"] <= HTTP_AGE_SECONDS:
        raise invalid("DeliveryPolicy: minDelayTarget must be at most maxDelayTarget")
    phases = ("numNoDelayRetries", "numMinDelayRetries", "numMaxDelayRetries")
    if sum(retry[name] for name in phases) > retry["numRetries"]:
        raise invalid("DeliveryPolicy: numRetries must be at least the sum of its phases")
