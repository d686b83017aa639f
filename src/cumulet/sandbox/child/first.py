"""The first process of an environment: furnishes it, starts the function, reports how it ended.

It runs none of the user's code, and when it ends the kernel ends every process of the environment
(where process namespaces exist). It talks to the cloud over the status socket, one JSON object
per packet: `born`, then it waits for the spec, then `running`, then `ended`.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket

from cumulet.sandbox.child import confine, kernel, namespaces

SPEC_BYTES_MAX = 200_000
_DATA = 3
_ANSWER = 4
_ABOVE_ALL = 64
_FILES_END = 1 << 20


def run(config: dict, fds: list) -> None:
    """The whole life of this process; returns when the function has ended."""
    status = socket.socket(fileno=fds[0])
    layers = dict(config["layers"])
    kernel.die_with_parent(signal.SIGKILL)
    kernel.set_dumpable(False)
    kernel.adopt_orphans()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    namespaces.separate(layers)
    for group in fds[3:]:
        os.write(group, b"0")
        os.close(group)
    _tell(status, {"is": "born"}, os.pidfd_open(os.getpid()))
    packet = status.recv(SPEC_BYTES_MAX)
    if not packet:
        return
    _start(status, {**config, **json.loads(packet)}, layers, fds[1], fds[2])


def _tell(status: socket.socket, message: dict, *fds: int) -> None:
    try:
        socket.send_fds(status, [json.dumps(message).encode()], list(fds))
    except OSError:
        os._exit(1)
    for fd in fds:
        os.close(fd)


def _start(status: socket.socket, spec: dict, layers: dict, data: int, log: int) -> None:
    namespaces.furnish(spec, layers)
    listener = None
    if spec["listen"]:
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        spec["env"]["AWS_LAMBDA_RUNTIME_API"] = "127.0.0.1:%d" % listener.getsockname()[1]
    report, answer = os.pipe()
    function = os.fork()
    if function == 0:
        os.close(report)
        _become_function(spec, layers, data, log, answer)
    os.close(answer)
    os.close(data)
    with os.fdopen(report, "rb") as file:
        text = file.read()
    try:
        fds = [os.pidfd_open(function)]
    except OSError:
        fds = []
    if listener is not None:
        fds.append(listener.detach())
    _tell(status, {"is": "running", **(json.loads(text) if text else {"layers": layers})}, *fds)
    extensions = [_extend(spec, layers, path, log) for path in _extensions(spec)]
    os.close(log)
    if not layers["filesystem"] and spec["isolation"] != "none":
        kernel.drop_capabilities()
    _watch(status, function, extensions)


def _watch(status: socket.socket, function: int, extensions: list) -> None:
    """Reap every child; the end of the function, or of an extension, ends the environment."""
    while True:
        pid, how = os.wait()
        if pid == function or pid in extensions:
            break
    what = "function" if pid == function else "extension"
    _tell(status, {"is": "ended", "what": what, "how": how})
    status.recv(1)


def _extensions(spec: dict) -> list:
    """Executable files of `/opt/extensions`: each is started beside the runtime."""
    folder = spec["extensions"]
    if not folder:
        return []
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    paths = [os.path.join(folder, name) for name in names]
    return [path for path in paths if os.path.isfile(path) and os.access(path, os.X_OK)]


def _extend(spec: dict, layers: dict, path: str, log: int) -> int:
    pid = os.fork()
    if pid == 0:
        report, answer = os.pipe()
        os.close(report)
        spec = {**spec, "argv": [path], "python": False}
        _become_function(spec, dict(layers), -1, log, answer)
    return pid


def _become_function(spec: dict, layers: dict, data: int, log: int, answer: int) -> None:
    """Never returns. `answer` takes the layers in force and closes when user code may start."""
    code = 1
    try:
        os.setsid()
        _arrange_files(data, log, answer)
        confine.confine(spec, layers)
        missing = _missing(layers) if spec["isolation"] == "require" else []
        os.write(_ANSWER, json.dumps({"layers": layers, "missing": missing}).encode())
        if missing:
            os._exit(1)
        os.chdir(spec["task_root"])
        if spec["python"]:
            os.close(_ANSWER)
            from cumulet.sandbox.child import python_loop

            code = python_loop.run(_DATA, spec)
        else:
            os.set_inheritable(_DATA, spec["pass_data"])
            if not spec["pass_data"]:
                os.close(_DATA)
            os.execve(spec["argv"][0], spec["argv"], spec["env"])
    except OSError as error:
        os.write(2, f"{spec['argv'][:1]}: {error}\n".encode())
        code = 127
    except BaseException as error:  # Nothing may return into the zygote's code.
        os.write(2, f"{type(error).__name__}: {error}\n".encode(errors="replace"))
    finally:
        os._exit(code)


def _missing(layers: dict) -> list:
    """Essential layers that are not in force: files may be kept by either of two."""
    missing = [name for name in ("privileges", "seccomp") if layers[name]]
    if layers["filesystem"] and layers["landlock"]:
        missing.append("filesystem")
    return missing


def _arrange_files(data: int, log: int, answer: int) -> None:
    """Descriptors of the function: nothing in, the log out, the data socket; no other survives."""
    nothing = os.open("/dev/null", os.O_RDWR)
    sources = [data if data >= 0 else nothing, log, answer, nothing]
    data, log, answer, nothing = (
        fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _ABOVE_ALL) for fd in sources
    )
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.dup2(data, _DATA, inheritable=False)
    os.dup2(answer, _ANSWER, inheritable=False)
    os.closerange(_ANSWER + 1, _FILES_END)
