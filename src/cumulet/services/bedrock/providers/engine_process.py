"""The engine's own process: llama.cpp serving one model on a private Unix socket.

Run as a program with its settings as one JSON argument. It imports nothing of the cloud's, says
`ready` on its standard output once the model is loaded, and ends when its standard input does,
which is when the cloud ends, however that comes about.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
import sys
import threading
from typing import Any

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000


def leave_the_network() -> None:
    """Into an empty network of our own, where the machine allows it; nothing here needs one."""
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0:
        libc.unshare(_NEW_NETWORK)
    else:
        libc.unshare(_NEW_USER | _NEW_NETWORK)


def end_with_the_cloud(folder: str) -> None:
    """Wait for the end of the standard input, and end at once."""
    while os.read(0, 4096):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def serve(settings: dict[str, Any]) -> Any:
    """Load the model and listen; returns what must be kept alive."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = settings["file"]
    params.hostnames = [settings["socket"]]
    params.n_parallel = settings["concurrency"]
    params.n_ctx = settings["context_tokens"] * settings["concurrency"]
    params.cpuparams.n_threads = settings["threads"]
    params.cpuparams.poll = 0
    params.cpuparams_batch.n_threads = settings["threads"]
    params.n_threads_http = settings["concurrency"] + 2
    params.cache_ram_mib = 0
    params.n_gpu_layers = 0
    params.verbosity = 1
    params.use_jinja = True
    params.offline = True
    params.ui = False
    params.endpoint_props = False
    params.endpoint_slots = False
    return xllamacpp.Server(params)


def main() -> None:
    """Limit this process, serve, and wait."""
    settings = json.loads(sys.argv[1])
    watcher = threading.Thread(target=end_with_the_cloud, args=(settings["folder"],), daemon=True)
    leave_the_network()
    os.umask(0o077)
    limit = settings["memory_mb"] * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    watcher.start()
    server = serve(settings)
    os.write(1, b"ready\n")
    watcher.join()
    del server


if __name__ == "__main__":
    main()
