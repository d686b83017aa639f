# ruff: noqa: PTH113, PTH118, PTH208
# Plain calls rather than pathlib: this runs in every fork and should touch little memory.
"""The first process of an environment: furnishes it, keeps watch, reports how the function ended.

It runs none of the user's code, and when it ends the kernel ends every process of the environment
(where process namespaces exist). It talks to the cloud over the status socket, one JSON object
per packet: `born`, then it waits for the spec, then `running`, then a report of each end. The
function's process is forked before the spec comes, so that a blank environment is as ready as it
can be.
"""

from __future__ import annotations

import json
import os
import signal
import socket
from typing import Any

from cumulet.sandbox import messages
from cumulet.sandbox.child import function, hunt, kernel, namespaces, watcher

SPEC_BYTES_MAX = 200_000


def run(config: dict[str, Any], fds: list[int]) -> None:
    """The whole life of this process; returns when the function has ended."""
    status = socket.socket(fileno=fds[0])
    data, log, groups = fds[1], fds[2], fds[3:]
    layers = dict(config["layers"])
    kernel.die_with_parent(signal.SIGKILL)
    kernel.set_dumpable(False)
    kernel.adopt_orphans()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if layers["processes"]:
        hunt.on_termination()
    namespaces.separate(layers)
    try:
        for group in groups:
            os.write(group, b"0")
            os.close(group)
    except OSError:
        return  # The group is gone, as the environment is no longer wanted.
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = os.fork()
    if child == 0:
        status.close()
        ours.close()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        function.wait_and_become(theirs, data, log)
    theirs.close()
    os.close(data)
    _tell(status, {"is": "born"}, [os.pidfd_open(os.getpid())])
    packet = status.recv(SPEC_BYTES_MAX)
    if packet:
        _start(status, ours, {**config, **json.loads(packet)}, layers, child, log)


def _tell(status: socket.socket, message: dict[str, Any], fds: list[int]) -> None:
    try:
        socket.send_fds(status, [json.dumps(message).encode()], fds)
    except OSError:
        os._exit(1)
    for fd in fds:
        os.close(fd)


def _start(
    status: socket.socket,
    order: socket.socket,
    spec: dict[str, Any],
    layers: dict[str, str],
    child: int,
    log: int,
) -> None:
    network = namespaces.furnish(spec, layers)
    listener = None
    if spec["listen"]:
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        spec["env"]["AWS_LAMBDA_RUNTIME_API"] = f"127.0.0.1:{listener.getsockname()[1]}"
    spec["layers"] = layers
    socket.send_fds(order, [json.dumps(spec).encode()], network)
    answer = order.recv(SPEC_BYTES_MAX)
    fds = [os.pidfd_open(child)]
    if listener is not None:
        fds.append(listener.detach())
    pids = [child, *(_extend(order, spec, path, log) for path in _extensions(spec))]
    words = json.loads(answer or b'{"layers":{}}')
    _tell(status, {"is": "running", "pids": pids, **words}, fds)
    os.close(log)
    order.close()
    if not layers["processes"] and spec["isolation"] != "none":
        kernel.drop_capabilities()
    if not layers["processes"] and spec["watcher"] >= 0:
        watcher.become(spec["watcher"], status.fileno())
    _watch(status, layers, set(pids))


def _watch(status: socket.socket, layers: dict[str, str], left: set[int]) -> None:
    """Reap every child and tell of each end; the cloud then kills what is left."""
    while left:
        pid, how = os.wait()
        left.discard(pid)
        try:
            status.send(messages.END.pack(pid, how))
        except OSError:
            os._exit(1)
    if layers["processes"]:
        hunt.end_all()


def _extensions(spec: dict[str, Any]) -> list[str]:
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


def _extend(order: socket.socket, spec: dict[str, Any], path: str, log: int) -> int:
    pid = os.fork()
    if pid == 0:
        order.close()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        function.become_extension({**spec, "argv": [path], "python": False}, log)
    return pid
