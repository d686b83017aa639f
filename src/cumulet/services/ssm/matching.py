"""Matching a value against the pattern that its parameter demands.

The pattern is the user's, and a regular expression can take longer than anybody lives: it runs in a
process of its own, which is ended when the time is over.
"""

from __future__ import annotations

import asyncio
import json
import sys

from cumulet.services.ssm.errors import (
    InvalidAllowedPatternException,
    ParameterPatternMismatchException,
)
from cumulet.services.ssm.limits import PATTERN_SECONDS_MAX

_PROGRAM = """
import json, re, sys
pattern, value = json.load(sys.stdin)
try:
    print("yes" if re.search(pattern, value) else "no")
except (re.error, RecursionError, OverflowError):
    print("bad")
"""


async def check_pattern(pattern: str, value: str) -> None:
    """Raise unless the value matches."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", "-S", "-c", _PROGRAM),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        asked = json.dumps([pattern, value]).encode()
        told, _ = await asyncio.wait_for(process.communicate(asked), PATTERN_SECONDS_MAX)
    except TimeoutError as cause:
        raise InvalidAllowedPatternException(
            "The allowed pattern takes too long to be matched."
        ) from cause
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    answer = told.strip()
    if answer == b"no":
        raise ParameterPatternMismatchException(
            f"Parameter value, cannot be validated against allowedPattern: {pattern}"
        )
    if answer != b"yes":
        raise InvalidAllowedPatternException(f"The allowed pattern is not valid: {pattern}")
