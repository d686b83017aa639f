"""A real sandbox per test, with real processes; when it stops, nothing of it may be left."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from cumulet.core.clock import SystemClock
from cumulet.sandbox import FunctionSpec, Invocation, LogLine, Outcome, Sandbox, SandboxConfig

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "token",
    "AWS_DEFAULT_REGION": "eu-west-1",
}


class Stage:
    """A started sandbox and what its functions have said."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.lines: list[LogLine] = []
        self._packages = 0
        self._requests = 0

    def package(self, **files: str) -> Path:
        """A folder of files; `__` in a name is a slash, the last `_` a dot unless `bootstrap`."""
        self._packages += 1
        folder = self.folder / f"package{self._packages}"
        for name, text in files.items():
            name = name.replace("__", "/")
            stem, _, kind = name.rpartition("_")
            name = f"{stem}.{kind}" if kind in ("py", "js", "mjs", "cjs", "json", "txt") else name
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)
        return folder

    def python(self, source: str, **settings) -> FunctionSpec:
        code = self.package(app_py=source)
        settings.setdefault("env", CREDENTIALS)
        settings.setdefault("key", code.name)
        settings.setdefault("memory_mb", 256)
        return FunctionSpec(
            runtime=settings.pop("runtime", "python3.11"),
            handler=settings.pop("handler", "app.handler"),
            code=code,
            **settings,
        )

    def custom(self, bootstrap: str, **settings) -> FunctionSpec:
        code = self.package(bootstrap=bootstrap)
        settings.setdefault("key", code.name)
        return FunctionSpec(
            runtime="provided.al2023", handler="function.handler", code=code, **settings
        )

    def node(self, source: str, name: str = "index_js", **settings) -> FunctionSpec:
        code = self.package(**{name: source})
        settings.setdefault("key", code.name)
        return FunctionSpec(
            runtime="nodejs20.x", handler=settings.pop("handler", "index.handler"),
            code=code, **settings,
        )  # fmt: skip

    async def invoke(
        self, spec: FunctionSpec, payload: bytes = b"{}", sink=None, **fields
    ) -> Outcome:
        self._requests += 1
        invocation = Invocation(fields.pop("request_id", f"r{self._requests}"), payload, **fields)
        return await self.sandbox.invoke(spec, invocation, on_log=self.lines.append, on_stream=sink)

    def texts(self) -> list[str]:
        return [line.text for line in self.lines]


def _descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _groups() -> set[str]:
    """Control groups that this process has made; others come and go while we look."""
    own = f"cumulet-{os.getpid()}-"
    return {
        str(Path(folder) / name)
        for folder, names, _ in os.walk("/sys/fs/cgroup")
        for name in names
        if name.startswith(own)
    }


@pytest.fixture
def stage_settings() -> dict:
    """Overridden by tests that need another configuration."""
    return {}


@pytest.fixture
def play(tmp_path: Path, stage_settings: dict) -> Callable[..., None]:
    """Run one scenario against a sandbox; afterwards no process, mount or group may be left."""

    def run(scenario: Callable[[Stage], Awaitable[None]], **settings) -> None:
        before, groups_before = set(_descendants(os.getpid())), _groups()

        async def whole() -> None:
            config = SandboxConfig(tmp_path / "work", **{**stage_settings, **settings})
            sandbox = Sandbox(config, SystemClock())
            await sandbox.start()
            try:
                await sandbox.ready()
                await scenario(Stage(sandbox, tmp_path))
            finally:
                await sandbox.stop()

        asyncio.run(whole())
        assert set(_descendants(os.getpid())) <= before
        assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()
        assert _groups() <= groups_before

    return run
