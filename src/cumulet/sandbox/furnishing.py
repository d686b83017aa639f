"""What one environment is told to be: the description that its first process carries out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from cumulet.sandbox.contract import Env, FunctionSpec, SandboxConfig
from cumulet.sandbox.machine.runtimes import Interpreter, prefix_of, runtime_parts

NODE_CLIENT = "/var/runtime/node/client.mjs"
_PATH = "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"
_LIBRARIES = (
    "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
)
_STARTERS = ("/var/task/bootstrap", "/opt/bootstrap")


class NoEntrypoint(Exception):
    """A custom runtime without anything to start."""


def describe(
    spec: FunctionSpec,
    env: Env,
    interpreter: Interpreter,
    config: SandboxConfig,
    *,
    opt: Path | None,
    uid: int | None,
    private_tmp: Path | None,
    users: str = "",
) -> dict[str, Any]:
    """The description, as JSON values. `private_tmp` is set where nothing can be mounted,
    `users` is the reason why the function does not get a user of its own.

    Raises NoEntrypoint.
    """
    mounted = private_tmp is None
    task_root = "/var/task" if mounted else str(spec.code)
    opt_root = "/opt" if mounted else str(opt or "/opt")
    family = interpreter.family
    variables = _variables(spec, env, interpreter, task_root)
    if private_tmp is not None:
        variables["TMPDIR"] = str(private_tmp)
    extensions = opt is not None and (opt / "extensions").is_dir()
    return {
        "isolation": config.isolation,
        "network": spec.network and config.network,
        "code": str(spec.code.resolve()),
        "opt": str(opt.resolve()) if opt else "",
        "uid": uid,
        "users": users,
        "tmp": str(private_tmp or "/tmp"),
        "ephemeral_mb": spec.ephemeral_mb,
        "files_max": config.files_max,
        "processes_max": config.processes_max,
        "env": variables,
        "handler": spec.handler,
        "task_root": task_root,
        "python": family == "python",
        "python_path": _python_path(task_root, opt_root, interpreter.version),
        "argv": _argv(spec, interpreter, opt, task_root, mounted),
        "listen": family == "provided" or extensions,
        "pass_data": family == "nodejs",
        "extensions": f"{opt_root}/extensions" if extensions else "",
        "shown_paths": [prefix_of(interpreter), *([] if mounted else _parts(config, interpreter))],
    }


def _parts(config: SandboxConfig, interpreter: Interpreter) -> list[str]:
    """What else a runtime reads where it lies, when nothing is mounted for it."""
    if interpreter.family == "nodejs":
        return [str(Path(__file__).parent / "child/node")]
    folder = str(config.work / "runtime" / interpreter.version)
    return [folder, *(source for source, _ in runtime_parts(interpreter.version))]


def _variables(
    spec: FunctionSpec, env: Env, interpreter: Interpreter, task_root: str
) -> dict[str, str]:
    """Lambda's own variables, under the function's, under those that only we can know."""
    return {
        "PATH": _PATH + os.pathsep + str(Path(interpreter.path).parent),
        "LD_LIBRARY_PATH": _LIBRARIES,
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        **({"PYTHONPATH": "/var/runtime"} if interpreter.family == "python" else {}),
        **env,
        "LAMBDA_TASK_ROOT": task_root,
        "_HANDLER": spec.handler,
    }


def _python_path(task_root: str, opt_root: str, version: str) -> list[str]:
    packages = f"{opt_root}/python/lib/python{version}/site-packages"
    return [task_root, packages, f"{opt_root}/python"]


def _argv(
    spec: FunctionSpec, interpreter: Interpreter, opt: Path | None, task_root: str, mounted: bool
) -> list[str]:
    if interpreter.family == "python":
        return []
    if interpreter.family == "nodejs":
        client = NODE_CLIENT if mounted else str(Path(__file__).parent / "child/node/client.mjs")
        return [interpreter.path, "--no-warnings=ExperimentalWarning", client]
    for folder, shown in ((spec.code, task_root), (opt, "/opt" if mounted else str(opt))):
        if folder is not None and (folder / "bootstrap").is_file():
            return [f"{shown}/bootstrap"]
    raise NoEntrypoint(f"Couldn't find valid bootstrap(s): [{' '.join(_STARTERS)}]")
