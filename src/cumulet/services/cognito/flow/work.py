"""Powers of large numbers, done by one process of low priority, with a bound on who may wait."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from cumulet.services.cognito.errors import TooManyRequestsException
from cumulet.services.cognito.limits import PASSWORD_WORK_SECONDS_MAX, PASSWORD_WORK_WAITING_MAX
from cumulet.services.cognito.rules import srp
from cumulet.services.cognito.rules.srp import PRIME

_CHILD = Path(srp.__file__).with_name("powers.py")
_LINE_BYTES_MAX = 65_536


class PasswordWork:
    """The process for SRP; started when first needed, and again when it died."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()
        self._waiting = 0

    async def start(self) -> None:
        """Nothing yet: most clouds never check a password."""

    async def stop(self) -> None:
        """End the process."""
        async with self._lock:
            await self._end()

    async def power(self, base: int, exponent: int) -> int:
        """`base ** exponent` in SRP's group. Raises TooManyRequestsException when too many wait."""
        if self._waiting >= PASSWORD_WORK_WAITING_MAX:
            raise TooManyRequestsException("Rate exceeded")
        self._waiting += 1
        try:
            async with self._lock:
                return await self._asked(f"{PRIME:x} {base % PRIME:x} {exponent:x}\n".encode())
        finally:
            self._waiting -= 1

    async def _asked(self, line: bytes) -> int:
        for _ in range(2):
            process = await self._running()
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(line)
                await process.stdin.drain()
                async with asyncio.timeout(PASSWORD_WORK_SECONDS_MAX):
                    answer = await process.stdout.readline()
                return int(answer, 16)
            except (OSError, ValueError):
                await self._end()
            except (TimeoutError, asyncio.CancelledError):
                # Its answer is still to come, and must not be taken for that of the next.
                await self._end()
                raise
        raise TooManyRequestsException("Rate exceeded")

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(_CHILD)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=_LINE_BYTES_MAX,
            )
        return self._process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await asyncio.shield(process.wait())
