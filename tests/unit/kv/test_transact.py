import asyncio

import pytest

from cumulet.kv.contract import Conflict, Unavailable
from cumulet.kv.transact import ATTEMPTS_MAX, ForeignAwait, retry, run_at_once


def attempts_that_fail(times):
    calls = []

    async def attempt():
        calls.append(len(calls))
        if len(calls) <= times:
            raise Conflict
        return calls

    return attempt


def test_conflicts_are_retried_with_pauses():
    pauses = []

    async def pause(conflicts):
        pauses.append(conflicts)

    assert asyncio.run(retry(attempts_that_fail(3), pause)) == [0, 1, 2, 3]
    assert pauses == [1, 2, 3]


def test_retries_are_bounded():
    pauses = []

    async def pause(conflicts):
        pauses.append(conflicts)

    with pytest.raises(Unavailable, match=f"{ATTEMPTS_MAX} attempts"):
        asyncio.run(retry(attempts_that_fail(1_000), pause))
    assert len(pauses) == ATTEMPTS_MAX


def test_other_errors_pass_through_at_once():
    async def attempt():
        raise LookupError("once")

    async def pause(conflicts):
        raise AssertionError("no pause was due")

    with pytest.raises(LookupError, match="once"):
        asyncio.run(retry(attempt, pause))


def test_work_that_does_not_wait_runs_in_one_step():
    async def inner():
        return 3

    async def work():
        return await inner() + await inner()

    assert run_at_once(work()) == 6


def test_work_that_waits_is_named():
    async def sells_tickets():
        await asyncio.Event().wait()

    async def main():
        run_at_once(sells_tickets())

    with pytest.raises(ForeignAwait, match="sells_tickets waits"):
        asyncio.run(main())
