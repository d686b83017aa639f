"""Commands of the owner's, and connections to hosts: bounded in time and output."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from typing import NamedTuple

from cumulet.services.ssm.hosts.limits import OUTPUT_BYTES_MAX, REACH_SECONDS


class Ended(NamedTuple):
    """How a command ended. `code` is None when its time was over."""

    code: int | None
    output: bytes
    errors: bytes


async def run(words: list[str], seconds: float, script: bytes = b"") -> Ended:
    """Run a program with `script` as its input; it and its children end when the time is over."""
    process = await asyncio.create_subprocess_exec(
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(seconds):
            # A command that has ended by now reads no more; uvloop says so by a RuntimeError.
            with contextlib.suppress(OSError, RuntimeError):
                process.stdin.write(script)
                process.stdin.close()
            output, errors = await asyncio.gather(_read(process.stdout), _read(process.stderr))
            return Ended(await process.wait(), output, errors)
    except TimeoutError:
        return Ended(None, b"", b"")
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def _read(stream: asyncio.StreamReader) -> bytes:
    """What comes, up to the bound; the rest is read and dropped, so that nothing blocks."""
    kept = bytearray()
    while part := await stream.read(65_536):
        kept += part[: OUTPUT_BYTES_MAX - len(kept)]
    return bytes(kept)


async def resolve(name: str) -> str:
    """The IP address of a name, IPv4 before IPv6; "" when there is none."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(REACH_SECONDS):
            found = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError):
        return ""
    addresses = sorted(found, key=lambda one: one[0] != socket.AF_INET)
    return str(addresses[0][4][0]) if addresses else ""


async def answers(address: str, port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        async with asyncio.timeout(REACH_SECONDS):
            _, writer = await asyncio.open_connection(address, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
