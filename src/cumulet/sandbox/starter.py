"""Cold starts: zygotes, blank environments kept ready, and turning one into a function."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import socket
from collections import deque
from pathlib import Path
from typing import Any

from cumulet.core.clock import Clock
from cumulet.sandbox import furnishing
from cumulet.sandbox.contract import Env, FunctionSpec, IsolationUnavailable, SandboxConfig
from cumulet.sandbox.environment import Answer, Environment, Refused
from cumulet.sandbox.links.extensions import Extensions
from cumulet.sandbox.links.frames import FrameLink
from cumulet.sandbox.links.http import Server
from cumulet.sandbox.links.peers import belongs_to
from cumulet.sandbox.links.runtime_api import BODY_BYTES_MAX, RuntimeApi
from cumulet.sandbox.machine import runtimes, staging
from cumulet.sandbox.machine.cgroups import Cgroups, Group
from cumulet.sandbox.machine.runtimes import Interpreter
from cumulet.sandbox.process import CHILD, Zygote
from cumulet.sandbox.states import State

_UID_FIRST = 1_000_000_000
_UID_BLOCKS = 60_000
_UIDS_PER_BLOCK = 1_024
REFILL_AFTER_SECONDS = 0.02
"""A cold start's own event is served before processes are made for the next one."""
_REMOVE_TRIES_MAX = 1_000
_REMOVE_PAUSE_SECONDS = 0.01
"""Ten seconds for the kernel to let go of the groups of ended processes, on a busy machine."""


class Starter:
    """Owner of zygotes and of what environments are made from."""

    def __init__(self, config: SandboxConfig, clock: Clock) -> None:
        self.config, self.clock = config, clock
        self.cgroups = Cgroups()
        self._zygotes: dict[str, asyncio.Task[Zygote]] = {}
        self._spares: dict[Zygote, deque[Environment]] = {}
        block = _UID_FIRST + secrets.randbelow(_UID_BLOCKS) * _UIDS_PER_BLOCK
        self._uid_first = block
        self._uids_free = deque(range(block, block + _UIDS_PER_BLOCK))
        self._warmed: set[str] = set()
        self._closed = False
        self._groups_left: deque[Group] = deque()

    def open(self) -> None:
        """Make folders and control groups. Raises OSError."""
        work = self.config.work
        for name in ("root", "tmp", "layers", "runtime"):
            (work / name).mkdir(parents=True, exist_ok=True)
        if self.config.isolation == "none" or "limits" in self.config.without:
            self.cgroups.reason = "switched off by the settings"
        else:
            self.cgroups.open()

    async def zygote(self, interpreter: Interpreter, *, preload: bool) -> Zygote:
        """The zygote that forks for this interpreter; started at first need. Raises OSError."""
        path = interpreter.path if interpreter.family == "python" else runtimes.own_interpreter()
        known = self._zygotes.get(path)
        if known is None or (known.done() and (known.exception() or known.result().dead)):
            # A task of its own: whoever asked first may give up, and others wait for it too.
            starting = self._start_zygote(path, interpreter)
            known = self._zygotes[path] = asyncio.get_running_loop().create_task(starting)
        zygote = await asyncio.shield(known)
        if preload and path not in self._warmed:
            self._warmed.add(path)
            zygote.warm([])
        return zygote

    async def _start_zygote(self, path: str, interpreter: Interpreter) -> Zygote:
        version = interpreter.version or "3"
        parts = runtimes.runtime_parts(version)
        folder = staging.linked_runtime(parts, self.config.work / "runtime" / version)
        prefix = str(Path(path).parent.parent)
        zygote = Zygote(
            path,
            {
                "isolation": self.config.isolation,
                "without": self.config.without,
                "root_folder": str(self.config.work / "root"),
                "runtime_folder": str(folder),
                "runtime_parts": [
                    *parts,
                    (prefix, "/var/lang"),
                    (str(CHILD / "node"), "/var/runtime/node"),
                ],
                "shown_paths": [prefix, runtimes.prefix_of(interpreter)],
                "uids": [self._uid_first, self.config.environments_max],
            },
        )
        try:
            await zygote.start()
        except BaseException:
            zygote.close()
            raise
        return zygote

    def blank(self, zygote: Zygote) -> Environment:
        """A new environment that belongs to no function yet. Raises OSError."""
        if self._closed:
            raise OSError("the cloud is being stopped")
        group = self.cgroups.make() if self.cgroups.available else Group()
        uid = self._uids_free.popleft() if os.geteuid() == 0 else None
        try:
            return Environment(zygote, group, uid, self.config, self.clock, self._forget)
        except OSError:
            self._release(group, uid)
            raise

    async def probe(self, interpreter: Interpreter) -> dict[str, str]:
        """Confine one environment that runs nothing: layer → "" or why it is not in force.

        Its zygote ends with it, unless others are using that: until a function is there, the cloud
        does without.
        """
        zygote = await self.zygote(interpreter, preload=False)
        environment = self.blank(zygote)
        try:
            await environment.born()
            spec = FunctionSpec("", "provided", "", self.config.work / "root")
            description = self._describe(environment, spec, {}, interpreter)
            nothing = {"python": False, "argv": ["/bin/true"], "listen": False}
            await environment.assign({**description, **nothing}, "", spec.memory_mb)
            return environment.layers
        finally:
            await environment.end()
            if zygote.forks == 1 and not self._warmed:
                zygote.close()

    def take_blank(self, zygote: Zygote) -> Environment:
        """A blank environment: one that was kept ready, or a new one. Raises OSError."""
        spares = self._spares.get(zygote)
        return spares.popleft() if spares else self.blank(zygote)

    def refill_soon(self, zygote: Zygote) -> None:
        """Refill once the event in hand, which made a spare one its own, has had its time."""
        asyncio.get_running_loop().call_later(REFILL_AFTER_SECONDS, self.refill, zygote)

    def refill(self, zygote: Zygote) -> None:
        """Keep blank environments ready for the next cold start."""
        spares = self._spares.setdefault(zygote, deque())
        while not (zygote.dead or self._closed) and len(spares) < self.config.spares:
            try:
                spares.append(self.blank(zygote))
            except OSError:
                return

    async def start(
        self, environment: Environment, spec: FunctionSpec, env: Env, interpreter: Interpreter
    ) -> None:
        """Make a blank environment this function's; its result of initialisation comes later.

        Raises OSError, NoEntrypoint, IsolationUnavailable.
        """
        await environment.born()
        if environment.state is State.DEAD:
            raise OSError("the environment ended before it began")
        description = self._describe(environment, spec, env, interpreter)
        environment.group.limit(spec.memory_mb, self.config.processes_max)
        if interpreter.family != "provided":
            environment.link = FrameLink(environment.lines.data, environment.closed_by_runtime)
            await environment.link.attach(environment.deliver)
        extensions = None
        if description["extensions"]:
            # Before anything runs: what the runtime says is held back until they are ready.
            environment.companions = extensions = self._companions(
                environment, spec, description["env"]
            )
        await environment.assign(description, spec.key, spec.memory_mb)
        if environment.missing:
            layers = ", ".join(environment.missing)
            raise IsolationUnavailable(f"This machine does not offer: {layers}.")
        await self._connect(environment, interpreter, extensions)

    def _describe(
        self, environment: Environment, spec: FunctionSpec, env: Env, interpreter: Interpreter
    ) -> dict[str, Any]:
        uid, users = environment.uid, ""
        mounted = not environment.zygote.layers["filesystem"]
        if not mounted:
            if uid is not None and not staging.all_reachable(spec.code, Path(interpreter.path)):
                uid, users = None, "the code or the interpreter is readable by root alone"
            environment.private_tmp = self._make_tmp(uid)
        return furnishing.describe(
            spec,
            env,
            interpreter,
            self.config,
            opt=staging.merged(spec.layers, self.config.work),
            uid=uid,
            private_tmp=environment.private_tmp,
            users=users,
        )

    def _companions(self, environment: Environment, spec: FunctionSpec, env: Env) -> Extensions:
        return Extensions(
            staging.extension_names(spec.layers),
            _about(spec, env),
            self.clock,
            environment.companions_changed,
            lambda reason: environment.deliver(
                Refused("Extension.Crash", f"Extension failed: {reason}")
            ),
        )

    async def _connect(
        self, environment: Environment, interpreter: Interpreter, extensions: Extensions | None
    ) -> None:
        """Set up the link to the runtime, and the HTTP server where somebody needs it."""
        api = RuntimeApi(extensions)
        # A bootstrap that ended at once has taken its socket along; its end is told by its cause.
        if environment.listener is not None and environment.listener.fileno() >= 0:
            server = Server(
                environment.listener, api, BODY_BYTES_MAX, lambda peer: _is_own(environment, peer)
            )
            environment.closers.append(server.close)
        if interpreter.family == "provided":
            environment.link = api
            await api.attach(environment.deliver)

    def _make_tmp(self, uid: int | None) -> Path:
        folder = self.config.work / "tmp" / secrets.token_hex(8)
        folder.mkdir(mode=0o700)
        if uid is not None:
            os.chown(folder, uid, uid)
        return folder

    def learn(self, zygote: Zygote, answer: Answer) -> None:
        """Have the zygote load the service models that a function was seen to load."""
        names = {name for name in answer.body.decode("ascii", "ignore").split(",") if name}
        names = {name for name in names if name.replace("-", "").isalnum()} - zygote.services
        if names:
            zygote.services |= names
            zygote.warm(sorted(names))

    def _forget(self, environment: Environment) -> None:
        for spares in self._spares.values():
            with contextlib.suppress(ValueError):
                spares.remove(environment)
        if environment.private_tmp is not None:
            shutil.rmtree(environment.private_tmp, ignore_errors=True)
        self._release(environment.group, environment.uid)

    def _release(self, group: Group, uid: int | None) -> None:
        self._groups_left.append(group)
        self._remove_groups()
        if uid is not None:
            self._uids_free.append(uid)

    def _remove_groups(self) -> None:
        """Remove groups of ended environments; the kernel may hold one a moment longer."""
        for _ in range(len(self._groups_left)):
            group = self._groups_left.popleft()
            try:
                group.remove()
            except OSError:
                self._groups_left.append(group)

    def seal(self) -> None:
        """From now on no environment is made."""
        self._closed = True

    async def close(self) -> None:
        """End spares and zygotes, and leave nothing behind."""
        self.seal()
        spares = [spare for line in self._spares.values() for spare in line]
        await asyncio.gather(*(spare.end() for spare in spares))
        for task in self._zygotes.values():
            task.cancel()
        for made in await asyncio.gather(*self._zygotes.values(), return_exceptions=True):
            if isinstance(made, Zygote):
                made.close()
        for _ in range(_REMOVE_TRIES_MAX):
            self._remove_groups()
            if not self._groups_left and self.cgroups.close():
                break
            await self.clock.sleep(_REMOVE_PAUSE_SECONDS)
        for name in ("root", "tmp", "runtime"):
            shutil.rmtree(self.config.work / name, ignore_errors=True)


def _is_own(environment: Environment, peer: socket.socket) -> bool:
    """An environment with a network of its own hears nobody else anyway."""
    if environment.layers.get("network") == "":
        return True
    try:
        return belongs_to(peer, environment.pid())
    except OSError:
        return False


def _about(spec: FunctionSpec, env: Env) -> dict[str, str]:
    return {
        "functionName": env.get("AWS_LAMBDA_FUNCTION_NAME", ""),
        "functionVersion": env.get("AWS_LAMBDA_FUNCTION_VERSION", ""),
        "handler": spec.handler,
    }
