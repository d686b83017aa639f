"""The process for passwords: right, bounded, and started again when it died."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from cumulet.services.cognito.errors import TooManyRequestsException
from cumulet.services.cognito.flow import work as module
from cumulet.services.cognito.flow.work import PasswordWork
from cumulet.services.cognito.rules.srp import PRIME


def test_powers_are_right_also_after_the_process_died() -> None:
    async def run() -> None:
        work = PasswordWork()
        try:
            assert await work.power(3, 2**200 + 1) == pow(3, 2**200 + 1, PRIME)
            process = work._process
            assert process is not None
            os.kill(process.pid, signal.SIGKILL)
            assert await work.power(PRIME + 5, 77) == pow(5, 77, PRIME)
        finally:
            await work.stop()

    asyncio.run(run())


def test_no_more_wait_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PASSWORD_WORK_WAITING_MAX", 2)

    async def run() -> None:
        work = PasswordWork()
        try:
            found = await asyncio.gather(
                *(work.power(2, 2**255) for _ in range(4)), return_exceptions=True
            )
        finally:
            await work.stop()
        refused = [one for one in found if isinstance(one, TooManyRequestsException)]
        assert len(refused) == 2

    asyncio.run(run())


def test_an_abandoned_answer_is_not_given_to_the_next() -> None:
    async def run() -> None:
        work = PasswordWork()
        try:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.001):
                    await work.power(2, 2**3000)
            assert await work.power(2, 10) == 1024
        finally:
            await work.stop()

    asyncio.run(run())
