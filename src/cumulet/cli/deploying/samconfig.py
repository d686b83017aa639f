"""What `samconfig.toml` says of a deployment, as `sam deploy` reads it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cumulet.cli.say import fail


@dataclass(frozen=True, slots=True)
class SamConfig:
    """Stack name and parameter overrides of the default environment."""

    stack_name: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)


def read_samconfig(folder: Path) -> SamConfig:
    """The file's default environment; an empty one when there is no file."""
    path = folder / "samconfig.toml"
    if not path.exists():
        return SamConfig()
    try:
        content = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeError) as cause:
        fail(f"{path} cannot be read: {cause}")
    default = content.get("default", {})
    values: dict[str, Any] = {
        **default.get("global", {}).get("parameters", {}),
        **default.get("deploy", {}).get("parameters", {}),
    }
    return SamConfig(values.get("stack_name"), _overrides(values.get("parameter_overrides", "")))


def _overrides(value: str | list[str] | dict[str, Any]) -> dict[str, str]:
    if isinstance(value, dict):
        return {key: str(item) for key, item in value.items()}
    text = " ".join(value) if isinstance(value, list) else value
    pairs = re.findall(r'([A-Za-z0-9]+)=("(?:[^"\\]|\\.)*"|\S*)', text)
    return {key: item.strip('"') for key, item in pairs}
