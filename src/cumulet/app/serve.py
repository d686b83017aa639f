"""Serving: start everything, say where it is, and stop in order when asked to."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cumulet.app.accounts import FirstKey, ensure_keys
from cumulet.app.admin import AdminSurface
from cumulet.app.backup import back_up
from cumulet.app.compose import compose
from cumulet.app.config import DEFAULT_ACCOUNT, Config
from cumulet.app.platform import Platform
from cumulet.app.seal import write_private
from cumulet.app.telemetry import Telemetry
from cumulet.app.telemetry.recent import RecentEvents
from cumulet.console import ConsoleSurface
from cumulet.core.clock import Clock
from cumulet.core.identity import root_principal
from cumulet.edge.app import front_door
from cumulet.edge.listen import Server
from cumulet.edge.tls.greet import ChooseContext
from cumulet.kit.tls.hosts import Hosts
from cumulet.kv.embedded import InUse

__all__ = ["InUse", "Running", "run", "start", "stop"]

_GARBAGE_THRESHOLDS = (10_000, 20, 50)
"""New objects per collection, and collections per collection of older ones. What a request makes
is freed by its reference counts; cycles are rare, so that looking for them often is wasted."""

SETTLED_AFTER_SECONDS = 10.0
"""By then what is done once at the start is done, and the memory that it took can be given back."""
_FILES_WANTED = 65_536
"""Open files: connections of clients, of functions, and the store's own."""


@dataclass(frozen=True, slots=True)
class Running:
    """A cloud that serves. `console` is a link that signs its first visitor in as the root."""

    platform: Platform
    server: Server
    endpoint: str
    key: FirstKey
    authority: Path | None
    console: str


async def start(config: Config, *, clock: Clock | None = None) -> Running:
    """Compose, listen, and write `run.json` so that commands find this cloud."""
    platform = compose(config, clock=clock)
    try:
        key = await ensure_keys(platform)
        choose, authority = _tls(config, platform)

        async def backup(folder: Path) -> None:
            await back_up(config, platform.owned["store"], folder)

        dispatcher = platform.dispatcher
        events = RecentEvents(sys.stderr if config.log_requests else None)
        console = ConsoleSurface(platform.clock)
        telemetry: Telemetry = platform.owned["telemetry"]
        application = front_door(
            dispatcher,
            platform.owned["catalog"],
            (
                AdminSurface(platform, backup, events),
                telemetry.surface,
                console,
                *(surface for service in platform.services for surface in service.surfaces),
            ),
            (events, *telemetry.sinks),
        )
        server = Server(application, platform.clock)
        if choose is None:
            port = await server.listen(config.host, config.port)
        else:
            port = await server.listen_by_name(config.host, config.port, choose)
        endpoint = f"{config.scheme}://{_reachable(config.host)}:{port}"
        platform.dispatcher.endpoint = config.public_url or endpoint
        if choose is None:
            platform.dispatcher.loopback = endpoint
        else:
            # Functions would have to trust our authority; loopback needs no cipher.
            inner = await server.listen("127.0.0.1", 0)
            platform.dispatcher.loopback = f"http://127.0.0.1:{inner}"
        await platform.start()
    except BaseException:
        await platform.stop()
        raise
    link = console.link(endpoint, root_principal(DEFAULT_ACCOUNT))
    running = Running(platform, server, endpoint, key, authority, link)
    _write_run_file(config, running)
    return running


async def stop(running: Running) -> None:
    """Finish what is in hand, then stop every part; the store is synced last."""
    config = running.platform.config
    await running.server.drain(config.drain_seconds)
    await running.platform.stop()
    (config.data / "run.json").unlink(missing_ok=True)


def run(config: Config, announce: Callable[[Running], None]) -> None:
    """Serve until SIGINT or SIGTERM. A second signal ends at once."""
    import uvloop

    gc.set_threshold(*_GARBAGE_THRESHOLDS)
    _allow_files()
    uvloop.run(_run(config, announce))


def _allow_files() -> None:
    """Let the process have a file for each connection: shells often allow 1,024 until asked."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES_WANTED if hard == resource.RLIM_INFINITY else min(_FILES_WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _run(config: Config, announce: Callable[[Running], None]) -> None:
    loop = asyncio.get_running_loop()
    wanted = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _asked_to_stop, wanted)
    running = await start(config)
    # Modules, models and services live as long as the process: never looked at again.
    gc.freeze()
    loop.call_later(SETTLED_AFTER_SECONDS, _give_memory_back)
    announce(running)
    await wanted.wait()
    await stop(running)


def _give_memory_back() -> None:
    """Return to the system what only the start needed, where the C library can."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def _asked_to_stop(wanted: asyncio.Event) -> None:
    if wanted.is_set():
        # What was answered is on disk: leaving now loses nothing but work in hand.
        os._exit(1)
    wanted.set()


def _reachable(host: str) -> str:
    """The address by which this machine itself reaches the server."""
    if host in ("0.0.0.0", "::", ""):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _tls(config: Config, platform: Platform) -> tuple[ChooseContext | None, Path | None]:
    if not config.tls:
        return None, None
    from cumulet.edge.tls.contexts import Contexts, server_context

    names = (config.host, *config.tls_names)
    own = server_context(config.data / "tls", names)
    hosts = platform.dispatcher.need(Hosts)
    return Contexts(own, hosts, platform.clock).of, config.data / "tls" / "ca.pem"


def _write_run_file(config: Config, running: Running) -> None:
    content = {
        "endpoint": running.endpoint,
        "public": config.public_url or running.endpoint,
        "region": config.region,
        "pid": os.getpid(),
        "authority": str(running.authority or ""),
    }
    with contextlib.suppress(FileNotFoundError):
        (config.data / "run.json").unlink()
    write_private(config.data / "run.json", json.dumps(content).encode())
