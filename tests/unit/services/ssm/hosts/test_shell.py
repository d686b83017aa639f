"""Commands of the owner's, at the moments when they end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvloop

from cumulet.services.ssm.hosts import shell


@pytest.mark.parametrize("run", [uvloop.run, asyncio.run], ids=["uvloop", "asyncio"])
@pytest.mark.parametrize("script", [b"", b"x" * 1_000_000])
def test_a_command_that_ends_before_its_input_was_written_has_ended_well(
    monkeypatch: pytest.MonkeyPatch, run: Any, script: bytes
):
    made = asyncio.create_subprocess_exec

    async def ended(*words: str, **how: Any) -> asyncio.subprocess.Process:
        process = await made(*words, **how)
        await process.wait()
        # By now the loop has seen that nobody reads the input any more.
        await asyncio.get_running_loop().run_in_executor(None, lambda: None)
        return process

    monkeypatch.setattr(shell.asyncio, "create_subprocess_exec", ended)
    told = run(shell.run(["/bin/sh", "-c", "echo here"], 60, script))
    assert (told.code, told.output) == (0, b"here\n")
