"""Concurrency: how many invocations may run at once, per function and per account and region.

Follows https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

from cumulet.core.identity import Scope
from cumulet.services.lambda_.errors import TooManyRequestsException
from cumulet.services.lambda_.limits import CONCURRENCY_MAX

K = TypeVar("K", bound=Hashable)


class Permits:
    """Counts what runs in this process. A function with a reservation draws on that alone."""

    __slots__ = ("_functions", "_scopes")

    def __init__(self) -> None:
        self._functions: dict[tuple[Scope, str], int] = {}
        self._scopes: dict[Scope, int] = {}

    def take(self, scope: Scope, name: str, reserved: int | None, reserved_total: int) -> None:
        """One more invocation; give it back with `give`. Raises TooManyRequestsException."""
        key = (scope, name)
        running = self._functions.get(key, 0)
        if reserved is not None:
            if running >= reserved:
                raise _refusal("ReservedFunctionConcurrentInvocationLimitExceeded")
        else:
            unreserved = self._scopes.get(scope, 0)
            if unreserved >= CONCURRENCY_MAX - reserved_total:
                raise _refusal("ConcurrentInvocationLimitExceeded")
            self._scopes[scope] = unreserved + 1
        self._functions[key] = running + 1

    def give(self, scope: Scope, name: str, reserved: int | None) -> None:
        """An invocation that was counted with the same reservation is over."""
        key = (scope, name)
        if reserved is None:
            _decrease(self._scopes, scope)
        _decrease(self._functions, key)

    def running(self, scope: Scope, name: str) -> int:
        """How many invocations of a function run now."""
        return self._functions.get((scope, name), 0)


def _decrease(counts: dict[K, int], key: K) -> None:
    left = counts[key] - 1
    if left:
        counts[key] = left
    else:
        del counts[key]


def _refusal(reason: str) -> TooManyRequestsException:
    return TooManyRequestsException("Rate Exceeded.", Reason=reason)


def machine_is_full() -> TooManyRequestsException:
    """The sandbox's own bound is reached."""
    return _refusal("ConcurrentInvocationLimitExceeded")
