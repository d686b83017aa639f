# ruff: noqa: PTH100, PTH120
# Plain calls rather than pathlib: this runs in every fork and should touch little memory.
"""Loading a Python handler, calling it, and putting results and errors into Lambda's words.

https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
"""

from __future__ import annotations

import builtins
import decimal
import importlib
import json
import os
import sys
import traceback
from typing import Any

_OWN_FOLDER = os.path.dirname(os.path.abspath(__file__))


class Fault(Exception):
    """A failure whose words are Lambda's: becomes the error document as it is."""

    def __init__(self, kind: str, message: str, trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.trace = trace or []


def load(name: str) -> Any:
    """The callable that `module.function` names; folders in front may be written with slashes."""
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as error:
        message = f"Bad handler '{name}': {error}"
        raise Fault("Runtime.MalformedHandlerName", message) from None
    dotted = module_name.replace("/", ".")
    if dotted.split(".", 1)[0] in sys.builtin_module_names:
        message = f"Cannot use built-in module {module_name} as a handler module"
        raise Fault("Runtime.BuiltInModuleConflict", message)
    try:
        module = importlib.import_module(dotted)
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        raise Fault("Runtime.ImportModuleError", message) from None
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        message = f"Syntax error in module '{module_name}': {error}"
        raise Fault("Runtime.UserCodeSyntaxError", message, trace) from None
    try:
        return getattr(module, function_name)
    except AttributeError:
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        raise Fault("Runtime.HandlerNotFound", message) from None


def _plain(value: object) -> object:
    if isinstance(value, decimal.Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def read_event(payload: bytes) -> object:
    """The event as Python values."""
    try:
        return json.loads(payload) if payload else {}
    except ValueError as error:
        message = f"Unable to unmarshal input: {error}"
        raise Fault("Runtime.UnmarshalError", message) from None


def write_answer(value: object) -> bytes:
    """The handler's result as JSON; decimals become numbers, as in Lambda's own encoder."""
    try:
        return json.dumps(value, default=_plain, ensure_ascii=False).encode("utf-8")
    except Exception as error:
        message = f"Unable to marshal response: {error}"
        raise Fault("Runtime.MarshalError", message) from None


def describe(error: BaseException) -> tuple[str, str, list[str]]:
    """Kind, message and stack of an exception of the handler, without frames of ours."""
    if isinstance(error, Fault):
        return error.kind, error.message, error.trace
    frames = traceback.extract_tb(error.__traceback__)
    while frames and os.path.dirname(frames[0].filename) == _OWN_FOLDER:
        del frames[0]
    while frames and "importlib" in frames[0].filename:
        del frames[0]
    return type(error).__name__, str(error), traceback.format_list(frames)


def document(kind: str, message: str, trace: list[str], request_id: str) -> bytes:
    """The error document that the caller of `Invoke` is given."""
    fields: dict[str, Any] = {"errorMessage": message, "errorType": kind}
    if request_id:
        fields["requestId"] = request_id
    fields["stackTrace"] = trace
    return json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace")


def exit_builtins() -> None:
    """`exit` and `quit`, which Python's `site` would have made; the zygote runs without it."""
    for name in ("exit", "quit"):
        setattr(builtins, name, sys.exit)
