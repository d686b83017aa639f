"""The life of a Python function's process: initialise, then one event after the other."""

from __future__ import annotations

import os
import random
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from cumulet.sandbox import messages
from cumulet.sandbox.child import warm
from cumulet.sandbox.child.python import context as contexts
from cumulet.sandbox.child.python import handler as handlers
from cumulet.sandbox.child.python import log

_READ_BYTES = 65_536


def prepare() -> None:
    """What is the same for every function, ahead of knowing which it will be."""
    os.environ.clear()
    random.seed()
    sys.argv[:] = [""]
    handlers.exit_builtins()
    log.install()
    for name in [name for name in sys.modules if name.split(".")[0] == "cumulet"]:
        del sys.modules[name]


def run(data_fd: int, spec: dict[str, Any]) -> int:
    """Serve until the cloud closes its end; returns the exit status of the process."""
    data = socket.socket(fileno=data_fd)
    _put_on_environment(spec)
    log.configure()
    try:
        handler = handlers.load(spec["handler"])
    except SystemExit as error:
        return _exit_status(error)
    except BaseException as error:
        kind, message, trace = handlers.describe(error)
        log.write_error(kind, message, trace)
        _send(data, messages.INIT_FAILED, handlers.document(kind, message, trace, ""))
        _flush()
        return 1
    _send(data, messages.READY, ",".join(warm.loaded_services()).encode())
    try:
        _serve(data, handler)
    except SystemExit as error:
        return _exit_status(error)
    finally:
        _flush()
    return 0


def _put_on_environment(spec: dict[str, Any]) -> None:
    os.environ.update(spec["env"])
    time.tzset()
    sys.path[:] = spec["python_path"] + [path for path in sys.path if path]
    warm.open_session()


def _exit_status(error: SystemExit) -> int:
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    sys.stderr.write(f"{error.code}\n")
    return 1


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue


def _send(data: socket.socket, kind: int, body: bytes) -> None:
    data.sendall(messages.pack_frame(kind, body))


def _receive(data: socket.socket, buffer: bytearray) -> bytes:
    """The body of the next frame, or nothing when the cloud has closed its end."""
    head = messages.FRAME.size
    while len(buffer) < head or len(buffer) < head + messages.FRAME.unpack_from(buffer)[0]:
        chunk = data.recv(_READ_BYTES)
        if not chunk:
            return b""
        buffer += chunk
    size = head + messages.FRAME.unpack_from(buffer)[0]
    body = bytes(buffer[head:size])
    del buffer[:size]
    return body


def _serve(data: socket.socket, handler: Callable[[Any, Any], Any]) -> None:
    buffer = bytearray()
    while True:
        body = _receive(data, buffer)
        if not body:
            return
        deadline_ms, texts, payload = messages.unpack_invoke(body)
        request_id, trace_id, arn, client_context, identity = texts
        log.request["id"] = request_id
        if trace_id:
            os.environ["_X_AMZN_TRACE_ID"] = trace_id
        else:
            os.environ.pop("_X_AMZN_TRACE_ID", None)
        try:
            event = handlers.read_event(payload)
            context = contexts.LambdaContext(deadline_ms, request_id, arn, client_context, identity)
            kind, answer = messages.RESPONSE, _call(handler, event, context)
        except SystemExit:
            raise
        except BaseException as error:
            words = handlers.describe(error)
            log.write_error(*words, request_id)
            kind, answer = messages.ERROR, handlers.document(*words, request_id)
        _flush()
        if len(answer) > messages.RESPONSE_BYTES_MAX:
            kind, answer = messages.TOO_LARGE, b"%d" % len(answer)
        _send(data, kind, answer)


def _call(handler: Callable[[Any, Any], Any], event: object, context: object) -> bytes:
    return handlers.write_answer(handler(event, context))
