"""The mapping template that a model suggests: it passes on what the schema describes."""

from __future__ import annotations

import json
from typing import Any

_DEPTH_MAX = 20


def template_of(schema: str) -> str:
    """The template, member by member. Raises ValueError when the schema is not JSON."""
    head = "#set($inputRoot = $input.path('$'))\n"
    return head + _template(json.loads(schema), "$inputRoot", 0)


def _template(schema: Any, path: str, depth: int) -> str:
    if not isinstance(schema, dict) or depth > _DEPTH_MAX:
        return "{ }"
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        pad = "  " * (depth + 1)
        lines = [
            f'{pad}"{name}" : {_template(below, f"{path}.{name}", depth + 1)}'
            for name, below in (schema.get("properties") or {}).items()
        ]
        return "{\n" + ",\n".join(lines) + "\n" + "  " * depth + "}" if lines else "{ }"
    if kind == "array":
        inner = _template(schema.get("items"), "$elem", depth + 1)
        return f"[\n#foreach($elem in {path})\n{inner}#if($foreach.hasNext),#end\n#end\n]"
    return f'"{path}"' if kind == "string" else path
