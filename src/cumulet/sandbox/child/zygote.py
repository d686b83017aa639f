# ruff: noqa: PTH100, PTH120
# Plain calls rather than pathlib: this runs in every fork and should touch little memory.
"""The process that forks environments: started once per interpreter, warmed, never runs user code.

Started as a script with one JSON argument (see `cumulet.sandbox.process`). It listens on one
packet socket for orders and dies with the cloud.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
import types
from typing import Any

PACKET_BYTES_MAX = 200_000
"""Largest order, in bytes: an environment's variables are at most 4 KB by Lambda's own rule."""
ORDER_FDS_MAX = 8


def _adopt_package(folder: str) -> None:
    """Make `cumulet.sandbox.child` importable without running the packages above it."""
    root = os.path.dirname(os.path.dirname(folder))
    for name, path in (
        ("cumulet", root),
        ("cumulet.sandbox", os.path.dirname(folder)),
    ):
        module = types.ModuleType(name)
        module.__path__ = [path]
        sys.modules[name] = module


def serve(control: socket.socket, config: dict[str, Any]) -> None:
    """Fork an environment per order until the cloud closes its end."""
    from cumulet.sandbox.child import first, namespaces, warm
    from cumulet.sandbox.child.python import shared

    own_pids = namespaces.open_own_pids()
    control.send(json.dumps(config["layers"]).encode())
    while True:
        data, fds, _, _ = socket.recv_fds(control, PACKET_BYTES_MAX, ORDER_FDS_MAX)
        if not data:
            return
        order = json.loads(data)
        if order["do"] == "warm":
            warm.preload(order["services"])
            shared.share()
            control.send(json.dumps(config["layers"]).encode())
            continue
        child = namespaces.fork_with_own_pids(own_pids, config["layers"])
        if child == 0:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            first.run(config, fds)
            os._exit(0)
        for fd in fds:
            os.close(fd)


def main() -> None:
    """Read the configuration, confine what all environments share, warm up, serve."""
    _adopt_package(os.path.dirname(os.path.abspath(__file__)))
    from cumulet.sandbox.child import confine, first, kernel, namespaces, watcher
    from cumulet.sandbox.child.python import loop, shared

    assert first
    assert loop
    assert shared
    config = json.loads(sys.argv[1])
    kernel.die_with_parent(signal.SIGKILL)
    control = socket.socket(fileno=config["control_fd"])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    config["layers"] = {}
    config["watcher"] = watcher.prepare()
    namespaces.prepare(config)
    if config["isolation"] != "none":
        confine.rehearse(config["layers"])
    mounted = not config["layers"]["filesystem"]
    sys.path.insert(0, "/var/runtime" if mounted else config["runtime_folder"])
    gc.collect()
    gc.freeze()
    serve(control, config)


if __name__ == "__main__":
    main()
