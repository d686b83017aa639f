"""Operations and CloudFormation types: what the services' manifests name."""

from __future__ import annotations

import tempfile
from pathlib import Path

from cumulet.app.services import SERVICES
from cumulet.kit.resources import Kind
from cumulet.kit.service import Service
from cumulet.wire.catalog import Catalog
from generated import NOTE


def operations_page() -> str:
    with tempfile.TemporaryDirectory() as cache:
        catalog = Catalog(Path(cache), tuple(service.name for service in SERVICES))
        lines = [
            "# Operations\n",
            NOTE,
            "What is not in these lists answers AWS's own error form with status 501 and is named "
            "in the log.\n",
            "| service | implemented | in AWS's model |",
            "|---|---|---|",
        ]
        sections: list[str] = []
        for service in sorted(SERVICES, key=lambda one: one.name):
            known = sorted(catalog.service(service.name).operation_names)
            done = sorted(service.operations)
            lines.append(f"| [{service.name}](#{service.name}) | {len(done)} | {len(known)} |")
            sections += [f"\n## {service.name}\n", "| operation | permission |", "|---|---|"]
            for name in done:
                sections.append(f"| {name} | {permission(service.prefix, name, service)} |")
            missing = [name for name in known if name not in service.operations]
            if missing:
                sections.append(f"\nNot implemented: {', '.join(missing)}.")
        return "\n".join([*lines, *sections]) + "\n"


def permission(prefix: str, name: str, service: Service) -> str:
    operation = service.operations[name]
    if operation.access == "open":
        return "none is needed"
    if operation.action is None:
        return f"`{prefix}:{name}`"
    if callable(operation.action):
        return "depends on the request"
    actions = [operation.action] if isinstance(operation.action, str) else operation.action
    return ", ".join(f"`{one}`" if ":" in one else f"`{prefix}:{one}`" for one in actions)


def resources_page() -> str:
    lines = [
        "# CloudFormation types\n",
        NOTE,
        "A type or property that is not listed fails the stack, and the stack's events name it.\n",
    ]
    types = {one.name: one for service in SERVICES for one in service.resources}
    for name in sorted(types):
        one = types[name]
        lines.append(f"## {name}\n")
        lines.append(f"Properties: {members(one.properties)}.\n")
        if one.attributes:
            lines.append(f"Attributes: {', '.join(f'`{a}`' for a in sorted(one.attributes))}.\n")
    return "\n".join(lines)


def members(kind: Kind) -> str:
    if not kind.members:
        return "any"
    return ", ".join(f"`{name}`" for name in sorted(kind.members))
