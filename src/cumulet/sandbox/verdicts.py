"""Results of an environment put into Lambda's words: outcomes, error documents, log lines. Pure."""

from __future__ import annotations

import json
import math

from cumulet.core.clock import iso_time
from cumulet.sandbox import messages
from cumulet.sandbox.contract import RESPONSE_BYTES_MAX, Failed, Outcome, Succeeded, Usage
from cumulet.sandbox.environment import Answer, Refused, Result, TimedOut
from cumulet.sandbox.process import Ended


def measure(duration_ms: float, init_ms: float | None, max_memory_mb: int) -> Usage:
    """Usage with billing as Lambda does it: whole milliseconds, initialisation included.

    https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/
    """
    billed_ms = math.ceil(duration_ms + (init_ms or 0.0)) or 1
    return Usage(
        duration_ms=duration_ms, billed_ms=billed_ms, init_ms=init_ms, max_memory_mb=max_memory_mb
    )


def judge(result: Result, request_id: str, timeout_ms: int, usage: Usage) -> Outcome:
    """The outcome of one invocation."""
    match result:
        case Answer(kind=messages.RESPONSE):
            return Succeeded(result.body, usage, result.streamed, result.content_type)
        case Answer(kind=messages.TOO_LARGE):
            return _too_large(usage)
        case Answer():
            return _raised(result, usage)
        case TimedOut():
            message = f"Task timed out after {timeout_ms / 1000:.2f} seconds"
            return _platform("Sandbox.Timedout", message, request_id, usage)
        case Refused(kind=kind, reason=reason):
            return _platform(kind, reason, request_id, usage)
        case Ended(out_of_memory=True):
            return _platform("Runtime.OutOfMemory", result.words(), request_id, usage)
        case Ended(extension=True):
            words = result.words().replace("Runtime exited", "Extension exited", 1)
            return _platform("Extension.Crash", words, request_id, usage)
        case Ended():
            return _platform("Runtime.ExitError", result.words(), request_id, usage)


def _platform(kind: str, message: str, request_id: str, usage: Usage) -> Failed:
    message = f"RequestId: {request_id} Error: {message}"
    payload = json.dumps({"errorType": kind, "errorMessage": message}, separators=(",", ":"))
    return Failed(kind, kind, message, payload.encode(), usage)


def _too_large(usage: Usage) -> Failed:
    kind = "Function.ResponseSizeTooLarge"
    message = (
        f"Response payload size exceeded maximum allowed payload size ({RESPONSE_BYTES_MAX} bytes)."
    )
    payload = json.dumps({"errorMessage": message, "errorType": kind}, separators=(",", ":"))
    return Failed(kind, kind, message, payload.encode(), usage)


def _raised(answer: Answer, usage: Usage) -> Failed:
    """The function's own error document, passed on as the runtime wrote it."""
    error_type, message = answer.error_type, ""
    try:
        document = json.loads(answer.body)
    except ValueError:
        document = None
    if isinstance(document, dict):
        error_type = str(document.get("errorType") or error_type)
        message = str(document.get("errorMessage") or "")
    return Failed("Unhandled", error_type, message, answer.body, usage, answer.streamed)


def log_words(outcome: Outcome, request_id: str, now: float) -> str:
    """What the platform itself writes to the function's log about a failure; often nothing."""
    if not isinstance(outcome, Failed) or outcome.kind == "Unhandled":
        return ""
    if outcome.kind == "Sandbox.Timedout":
        words = outcome.error_message.split(" Error: ", 1)[1]
        return f"{iso_time(now)} {request_id} {words}"
    if outcome.kind == "Function.ResponseSizeTooLarge":
        return f"[ERROR] [{int(now * 1000)}] LAMBDA_RUNTIME {outcome.error_message}"
    return f"{outcome.error_message}\n{outcome.error_type}"
