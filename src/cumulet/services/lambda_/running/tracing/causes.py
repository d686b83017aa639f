"""Why a function failed, as segments say it. Pure but for the id.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html#api-segmentdocuments-errors
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from cumulet.core.clock import Clock, new_hex
from cumulet.sandbox import Failed

_FRAMES_MAX = 50
_TEXT_MAX = 1_024
_PYTHON = re.compile(r'\s*File "(?P<path>[^"]*)", line (?P<line>\d+), in (?P<label>[^\n]*)')
_NODE = re.compile(r"\s*at (?:(?P<label>[^()\n]*) \()?(?P<path>[^()\n]+?):(?P<line>\d+):\d+\)?\Z")


def cause_of(failed: Failed, clock: Clock) -> dict[str, Any]:
    """The `cause` of a segment."""
    exception: dict[str, Any] = {
        "id": new_hex(clock, 16),
        "type": failed.error_type[:_TEXT_MAX],
        "message": failed.error_message[:_TEXT_MAX],
        "remote": False,
    }
    frames = list(_frames(failed.payload))
    if frames:
        exception["stack"] = frames
    return {"working_directory": "/var/task", "exceptions": [exception]}


def _frames(payload: bytes) -> Iterator[dict[str, Any]]:
    """Where it failed, by what the function's runtime said of it."""
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        return
    lines = (said.get("stackTrace") or said.get("trace")) if isinstance(said, dict) else None
    for line in lines[:_FRAMES_MAX] if isinstance(lines, list) else ():
        text = str(line)[:_TEXT_MAX]
        found = _PYTHON.match(text) or _NODE.match(text)
        if found is not None:
            label = found["label"] or "anonymous"
            yield {"path": found["path"], "line": int(found["line"]), "label": label}
