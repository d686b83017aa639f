"""Running a transaction: in one step where the engine allows it, and the one retry loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import CoroutineType
from typing import Any, Concatenate, ParamSpec, TypeVar

from cumulet.kv.contract import Conflict, Store, Transaction, Unavailable

T = TypeVar("T")
P = ParamSpec("P")

ATTEMPTS_MAX = 50


class ForeignAwait(RuntimeError):
    """A transaction function waited for something that is not its transaction's: a bug of ours."""

    def __init__(self, work: Awaitable[Any]) -> None:
        super().__init__(
            f"{getattr(work, '__qualname__', work)!s} waits, inside a transaction, "
            "for something other than the transaction's own reads"
        )


async def transact(
    store: Store,
    work: Callable[Concatenate[Transaction, P], Awaitable[T]],
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Run `work(tx, *args, **kwargs)` in one transaction of `store`. Raises Unavailable."""
    return await store.transact(lambda tx: work(tx, *args, **kwargs))


async def retry(
    attempt: Callable[[], Awaitable[T]],
    pause: Callable[[int], Awaitable[None]],
    attempts_max: int = ATTEMPTS_MAX,
) -> T:
    """Call `attempt` until it raises no Conflict; for engines whose transactions may conflict.

    After the nth conflict `pause(n)` waits a little, by chance, so that no one loses for ever.
    Raises Unavailable when the attempts are used up.
    """
    for number in range(1, attempts_max + 1):
        try:
            return await attempt()
        except Conflict:
            await pause(number)
    raise Unavailable(f"{attempts_max} attempts of one transaction met with conflicts")


def run_at_once(work: Awaitable[T]) -> T:
    """The result of `work`, which must finish without suspending. Raises ForeignAwait."""
    steps = work if type(work) is CoroutineType else work.__await__()
    try:
        steps.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    steps.close()
    raise ForeignAwait(work)
