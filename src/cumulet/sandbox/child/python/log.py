"""How a Python function's log records look, in Lambda's text and JSON formats.

https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
"""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import time
import traceback
from typing import Any

_LEVELS = {"TRACE": logging.DEBUG, "DEBUG": logging.DEBUG, "INFO": logging.INFO,
           "WARN": logging.WARNING, "ERROR": logging.ERROR, "FATAL": logging.CRITICAL}  # fmt: skip
_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"aws_request_id", "message"}

request = {"id": ""}
"""The id of the event in hand."""


def write_record(text: str) -> None:
    """Write one record that keeps its newlines (see `messages.RECORD_MARK`)."""
    body = text.encode("utf-8", "replace")
    data = b"\x1e%d\n%b" % (len(body), body)
    while data:
        data = data[os.write(1, data) :]


class _Output(io.FileIO):
    """Standard output and error: each write reaches the log at once."""


class Handler(logging.Handler):
    """Sends each record to the function's log as one event."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record; failures of formatting are reported as `logging` does."""
        try:
            record.aws_request_id = request["id"]
            write_record(self.format(record).rstrip("\n"))
        except Exception:
            self.handleError(record)


class JsonFormatter(logging.Formatter):
    """One JSON object per record: time, level, message, logger, request id, then extras."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        fields: dict[str, Any] = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": request["id"],
        }
        if record.exc_info and record.exc_info[0]:
            kind, value, trace = record.exc_info
            fields["stackTrace"] = traceback.format_tb(trace)
            fields["errorType"] = kind.__name__
            fields["errorMessage"] = str(value)
            fields["location"] = f"{record.pathname}:{record.funcName}:{record.lineno}"
        for name, value in vars(record).items():
            if name not in _STANDARD_FIELDS:
                fields[name] = value
        return json.dumps(fields, ensure_ascii=False, default=str)


def is_json() -> bool:
    """Whether the function's log format is JSON."""
    return os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"


def install() -> None:
    """Open standard output and error on the log, and hang Lambda's handler on the root logger."""
    for name, fd in (("stdout", 1), ("stderr", 2)):
        raw = _Output(fd, "w", closefd=False)
        buffered = io.BufferedWriter(raw)
        stream = io.TextIOWrapper(
            buffered, encoding="utf-8", errors="backslashreplace", line_buffering=True
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    handler = Handler()
    formatter = logging.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n",
        "%Y-%m-%dT%H:%M:%S",
    )
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.getLogger().handlers[:] = [handler]


def configure() -> None:
    """Take the format and the level that the function's variables ask for."""
    root = logging.getLogger()
    if is_json():
        root.handlers[0].setFormatter(JsonFormatter())
    level = _LEVELS.get(os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper())
    if level is not None:
        root.setLevel(level)


def write_error(kind: str, message: str, trace: list[str], request_id: str = "") -> None:
    """Write a failure of the handler as Lambda's Python runtime does."""
    if is_json():
        fields = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "log_level": "ERROR",
            "errorType": kind,
            "errorMessage": message,
            "requestId": request_id,
            "stackTrace": trace,
        }
        write_record(json.dumps(fields, ensure_ascii=False))
        return
    head = f"[ERROR] {kind}: {message}" if kind else f"[ERROR] {message}"
    lines = "\n".join(["Traceback (most recent call last):", *(t.rstrip("\n") for t in trace)])
    write_record(head + "\n" + lines)
