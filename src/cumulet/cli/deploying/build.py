"""Building functions and layers: their dependencies into their packages, as `sam build` does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from cumulet.cli.say import Progress, fail
from cumulet.core.errors import AwsError
from cumulet.sandbox.machine.runtimes import Runtimes
from cumulet.services.cloudformation.template.text import parse_text

_NAMES = ("template.yaml", "template.yml", "template.json")
_FUNCTIONS = {"AWS::Serverless::Function": "CodeUri", "AWS::Lambda::Function": "Code"}
_LAYERS = {"AWS::Serverless::LayerVersion": "ContentUri", "AWS::Lambda::LayerVersion": "Content"}
_LEFT_OUT = shutil.ignore_patterns(
    ".git", ".aws-sam", ".cumulet", ".venv", "__pycache__", "*.pyc", "node_modules", ".pytest_cache"
)
_INSTALL_SECONDS_MAX = 900


def find_template(folder: Path, name: str | None) -> Path:
    """The template of a folder; ends the command with a hint when there is none."""
    if folder.is_file():
        return folder
    for candidate in (name,) if name else _NAMES:
        if (folder / candidate).is_file():
            return folder / candidate
    fail(f"no template in {folder}", f"looked for {', '.join(_NAMES)}; or name it with --template")


class Building:
    """One template on its way to a package; what is built goes below `.cumulet/build`."""

    def __init__(self, template: Path, progress: Progress) -> None:
        self._template = template
        self._folder = template.parent.resolve()
        self._target = self._folder / ".cumulet" / "build"
        self._progress = progress

    def load(self) -> dict[str, Any]:
        """The template as it stands."""
        try:
            return parse_text(self._template.read_text())
        except (AwsError, UnicodeError) as cause:
            fail(f"{self._template}: {cause}")

    def build(self) -> dict[str, Any]:
        """The template with the code of its functions and layers pointing at built folders."""
        document = self.load()
        shared = document.get("Globals", {}).get("Function", {})
        for logical_id, resource in document.get("Resources", {}).items():
            kind = resource.get("Type", "")
            properties = resource.setdefault("Properties", {})
            metadata = resource.get("Metadata", {})
            if kind in _FUNCTIONS:
                member = _FUNCTIONS[kind]
                code = properties.get(member, shared.get(member))
                runtime = str(properties.get("Runtime", shared.get("Runtime", "")))
                if isinstance(code, str) and self._is_local(code):
                    properties[member] = self._build_one(logical_id, code, runtime, metadata, "")
            elif kind in _LAYERS:
                member = _LAYERS[kind]
                code = properties.get(member)
                method = str(metadata.get("BuildMethod", ""))
                if isinstance(code, str) and self._is_local(code) and method:
                    inner = "python" if method.startswith("python") else "nodejs"
                    properties[member] = self._build_one(
                        logical_id, code, method, metadata, "" if method == "makefile" else inner
                    )
        return document

    def _is_local(self, code: str) -> bool:
        return not code.startswith(("s3://", "http://", "https://"))

    def _build_one(
        self, logical_id: str, code: str, runtime: str, metadata: dict[str, Any], inner: str
    ) -> str:
        source = (self._folder / code).resolve()
        if source.is_file():
            return str(source)
        if not source.is_dir():
            fail(f"{logical_id}: {code} is not there", f"looked in {self._folder}")
        self._progress.step(f"building {logical_id}")
        target = self._target / logical_id
        shutil.rmtree(target, ignore_errors=True)
        if metadata.get("BuildMethod") == "makefile":
            target.mkdir(parents=True)
            self._run(
                logical_id,
                ["make", f"build-{logical_id}"],
                source,
                {"ARTIFACTS_DIR": str(target)},
            )
            return str(target)
        content = target / inner if inner else target
        shutil.copytree(source, content, ignore=_LEFT_OUT)
        if runtime.startswith("python") and (source / "requirements.txt").exists():
            self._install_python(logical_id, source, content, runtime)
        elif runtime.startswith("nodejs") and (source / "package.json").exists():
            self._install_node(logical_id, content)
        return str(target)

    def _install_python(self, logical_id: str, source: Path, content: Path, runtime: str) -> None:
        wanted = (source / "requirements.txt").read_text().splitlines()
        if not any(line.strip() and not line.strip().startswith("#") for line in wanted):
            return
        self._progress.step(f"building {logical_id}: pip install")
        words = [*_pip_for(runtime), "--quiet", "--disable-pip-version-check"]
        self._run(
            logical_id,
            [*words, "--requirement", "requirements.txt", "--target", str(content)],
            source,
        )

    def _install_node(self, logical_id: str, content: Path) -> None:
        package = json.loads((content / "package.json").read_text())
        if not package.get("dependencies"):
            return
        if shutil.which("npm") is None:
            fail(f"{logical_id} needs npm, which is not on the PATH")
        self._progress.step(f"building {logical_id}: npm install")
        self._run(logical_id, ["npm", "install", "--omit=dev", "--no-audit", "--no-fund"], content)

    def _run(
        self, logical_id: str, words: list[str], folder: Path, extra: dict[str, str] | None = None
    ) -> None:
        try:
            done = subprocess.run(
                words,
                cwd=folder,
                env={**os.environ, **(extra or {})},
                capture_output=True,
                text=True,
                timeout=_INSTALL_SECONDS_MAX,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as cause:
            fail(f"{logical_id}: {words[0]} failed: {cause}")
        if done.returncode != 0:
            tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
            fail(f"{logical_id}: {' '.join(words[:4])} failed\n{tail}")


def _pip_for(runtime: str) -> list[str]:
    """`pip install` for the interpreter that this machine runs the runtime on.

    Compiled packages fit one version of Python only. An interpreter without pip is built for by our
    own, which then takes ready-made wheels alone.
    """
    interpreter = Runtimes().resolve(runtime)
    probe = [interpreter.path, "-m", "pip", "--version"]
    if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
        return [*probe[:-1], "install"]
    own = [sys.executable, "-m", "pip", "install"]
    if interpreter.version == f"3.{sys.version_info.minor}":
        return own
    return [*own, "--python-version", interpreter.version, "--only-binary", ":all:"]
