"""Carries commands to hosts over SSH, with the machine's own `ssh` program."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.kit.workers import Tasks
from cumulet.kv.contract import Store, Transaction
from cumulet.kv.transact import transact
from cumulet.services.ssm.hosts import store
from cumulet.services.ssm.hosts.limits import RUNS_AT_ONCE
from cumulet.services.ssm.hosts.look import Lookout
from cumulet.services.ssm.hosts.model import Command, Host, Run
from cumulet.services.ssm.hosts.shell import run

_SSH_FAILED = 255
_CONNECT_SECONDS = 10


class Runner:
    """Runs what was sent. What a kill cuts off is told as failed at the next start."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._store = platform.need(Store)
        self._clock = platform.clock
        self._tasks = Tasks()
        self._turns = asyncio.Semaphore(RUNS_AT_ONCE)
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Tell of the runs that an earlier process began: nobody knows how they went."""
        for scope in await self._store.transact(store.RUNS.scopes):
            await transact(self._store, _give_up_open, scope, self._clock.now())

    async def stop(self) -> None:
        """End what runs."""
        await self._tasks.stop()

    def begin(self, scope: Scope, command: Command, hosts: Sequence[Host]) -> None:
        """Run a command on its hosts, in the background."""
        for host in hosts:
            work = self._carry_out(scope, command, host)
            task = self._tasks.start(work, f"command {command.id} on {host.id}")
            key = (command.id, host.id)
            self._running[key] = task
            task.add_done_callback(partial(self._ended, key))

    def _ended(self, key: tuple[str, str], _: asyncio.Task[None]) -> None:
        self._running.pop(key, None)

    async def cancel(self, scope: Scope, command: Command, instances: Sequence[str]) -> None:
        """End a command on some hosts."""
        for instance in instances:
            task = self._running.get((command.id, instance))
            if task is not None:
                task.cancel()
            ended = Run(command.id, instance, "Cancelled", ended_at=self._clock.now())
            await self._save(scope, ended)

    async def _carry_out(self, scope: Scope, command: Command, host: Host) -> None:
        async with self._turns:
            began = Run(command.id, host.id, "InProgress", began_at=self._clock.now())
            await self._save(scope, began)
            status, code, output, errors = await self._over_ssh(command, host)
            ended = msgspec.structs.replace(
                began,
                status=status,
                code=code,
                output=output.decode(errors="replace"),
                errors=errors.decode(errors="replace"),
                ended_at=self._clock.now(),
            )
            await self._save(scope, ended)

    async def _save(self, scope: Scope, change: Run) -> None:
        await transact(self._store, store.save_run, scope, change)

    async def _over_ssh(self, command: Command, host: Host) -> tuple[str, int, bytes, bytes]:
        program = shutil.which("ssh")
        if program is None:
            return "Failed", -1, b"", b"The program ssh is not installed on the cloud's machine."
        seen = await self._platform.need(Lookout).one(host)
        if not seen.is_up:
            return "Undeliverable", -1, b"", b"The host does not answer."
        with tempfile.TemporaryDirectory(prefix="cumulet-ssh-") as folder:
            words = [program, *_options(host, Path(folder)), f"{host.user}@{seen.address}", "sh -s"]
            ended = await run(words, command.timeout_seconds, _script(command))
        if ended.code is None:
            return "TimedOut", -1, ended.output, ended.errors
        if ended.code == _SSH_FAILED:
            return "Undeliverable", -1, ended.output, ended.errors
        status = "Success" if ended.code == 0 else "Failed"
        return status, ended.code, ended.output, ended.errors


def _options(host: Host, folder: Path) -> list[str]:
    """How ssh is called: it asks nobody, and knows the host by the key that it was added with."""
    given = {
        "BatchMode": "yes",
        "ConnectTimeout": str(_CONNECT_SECONDS),
        "ServerAliveInterval": "15",
        "ForwardAgent": "no",
        "Port": str(host.port),
    }
    if host.host_key:
        known = folder / "known_hosts"
        known.write_text(f"cumulet-host {host.host_key}\n")
        given |= {
            "HostKeyAlias": "cumulet-host",
            "UserKnownHostsFile": str(known),
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
        }
    else:
        given["StrictHostKeyChecking"] = "yes"
    words = [word for name, value in given.items() for word in ("-o", f"{name}={value}")]
    if host.key_file:
        words += ["-o", "IdentitiesOnly=yes", "-i", host.key_file]
    return words


def _script(command: Command) -> bytes:
    lines = command.parameters["commands"]
    folder = (command.parameters.get("workingDirectory") or [""])[0]
    head = []
    if folder:
        quoted = folder.replace("'", "'\\''")
        head.append(f"cd '{quoted}' || exit 1")
    return ("\n".join([*head, *lines]) + "\n").encode()


async def _give_up_open(tx: Transaction, scope: Scope, now: float) -> None:
    for one in await store.RUNS.lookup(tx, scope, "open", limit=10_000):
        lost = msgspec.structs.replace(
            one, status="Failed", ended_at=now, errors="The cloud was stopped while this ran."
        )
        await store.RUNS.save(tx, scope, lost)
