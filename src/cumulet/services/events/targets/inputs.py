"""What a target gets of an event: all of it, a part, a text of its own, or a template filled in.

Follows https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from cumulet.core.clock import iso_time
from cumulet.services.events.errors import ValidationException

_STEP = re.compile(
    r"\.(?P<name>[\w-]+)|\[(?P<index>\d{1,6})\]|\[(?P<quote>['\"])(?P<key>[^'\"]+)(?P=quote)\]"
)
_VARIABLE = re.compile(r"<([A-Za-z0-9_.-]+)>")
_RESERVED = frozenset(
    (
        "aws.events.rule-arn",
        "aws.events.rule-name",
        "aws.events.event",
        "aws.events.event.json",
        "aws.events.event.ingestion-time",
    )
)
_ABSENT = object()

Path = tuple[str | int, ...]


class Facts(NamedTuple):
    """What templates may say of the rule and of the event's coming."""

    rule_arn: str
    rule_name: str
    ingested_at: float


def parse_path(text: str) -> Path:
    """The steps of a path such as `$.detail.items[0]`. Raises ValueError."""
    if not text.startswith("$"):
        raise ValueError("a path begins with $")
    steps: list[str | int] = []
    at = 1
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            raise ValueError(f"the path is not understood from {text[at:]}")
        index = found["index"]
        steps.append(int(index) if index else found["name"] or found["key"])
        at = found.end()
    return tuple(steps)


def follow(path: Path, event: Any) -> Any:
    """What lies at the end of a path, or `_ABSENT`."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(event, list) or step >= len(event):
                return _ABSENT
            event = event[step]
        elif isinstance(event, dict) and step in event:
            event = event[step]
        else:
            return _ABSENT
    return event


def check_input(target: Mapping[str, Any]) -> None:
    """Raises ValidationException when a target's input cannot be made."""
    name = target["Id"]
    if sum(key in target for key in ("Input", "InputPath", "InputTransformer")) > 1:
        raise ValidationException(
            f"Only one of Input, InputPath, or InputTransformer must be provided for target {name}."
        )
    if "Input" in target:
        _check_json(target["Input"], name)
    if "InputPath" in target:
        _check_path(target["InputPath"], name)
    transformer = target.get("InputTransformer")
    if transformer is not None:
        paths = transformer.get("InputPathsMap") or {}
        for path in paths.values():
            _check_path(path, name)
        used = set(_VARIABLE.findall(transformer["InputTemplate"]))
        unknown = sorted(one for one in used if one not in paths and one not in _RESERVED)
        if unknown:
            raise ValidationException(
                f"InputTemplate for target {name} contains invalid placeholder {unknown[0]}."
            )


def _check_json(text: str, name: str) -> None:
    try:
        json.loads(text)
    except (ValueError, RecursionError) as cause:
        raise ValidationException(f"JSON syntax error in input for target {name}") from cause


def _check_path(text: str, name: str) -> None:
    try:
        parse_path(text)
    except ValueError as cause:
        raise ValidationException(f"Invalid InputPath for target {name}.") from cause


def payload_of(target: Mapping[str, Any], event: bytes, facts: Facts) -> str:
    """The text that a target gets."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        found = follow(parse_path(target["InputPath"]), json.loads(event))
        return json.dumps(None if found is _ABSENT else found)
    transformer = target.get("InputTransformer")
    if transformer is None:
        return event.decode()
    whole = json.loads(event)
    paths = transformer.get("InputPathsMap") or {}
    values = {name: follow(parse_path(path), whole) for name, path in paths.items()}
    values |= {
        "aws.events.rule-arn": facts.rule_arn,
        "aws.events.rule-name": facts.rule_name,
        "aws.events.event": {key: value for key, value in whole.items() if key != "detail"},
        "aws.events.event.json": whole,
        "aws.events.event.ingestion-time": iso_time(facts.ingested_at),
    }
    return fill(transformer["InputTemplate"], values)


def fill(template: str, values: Mapping[str, Any]) -> str:
    """A template with its variables: as JSON, or as text where it stands within quotes.

    A variable whose path leads nowhere leaves nothing in a text, and `null` elsewhere.
    """
    made: list[str] = []
    at, quoted = 0, False
    for found in _VARIABLE.finditer(template):
        between = template[at : found.start()]
        quoted = _quoted_after(between, quoted)
        made.append(between)
        at = found.end()
        value = values.get(found[1], _ABSENT)
        if not quoted:
            made.append(json.dumps(None if value is _ABSENT else value))
        elif value is not _ABSENT:
            text = value if isinstance(value, str) else json.dumps(value)
            made.append(json.dumps(text)[1:-1])
    made.append(template[at:])
    return "".join(made)


def _quoted_after(text: str, quoted: bool) -> bool:
    """Whether what follows the text stands within quotes."""
    escaped = False
    for character in text:
        if escaped:
            escaped = False
        elif character == "\\" and quoted:
            escaped = True
        elif character == '"':
            quoted = not quoted
    return quoted
