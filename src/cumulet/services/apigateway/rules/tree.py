"""The tree of an API's resources: what may stand where, and what moves along. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cumulet.services.apigateway.errors import (
    BadRequestException,
    ConflictException,
    LimitExceededException,
    no_resource,
)
from cumulet.services.apigateway.limits import RESOURCE_BYTES_MAX, RESOURCES_MAX
from cumulet.services.apigateway.model import Resource
from cumulet.services.apigateway.rules.names import check_path_part, is_path_parameter


def child(parent: Resource, resource_id: str, part: str) -> Resource:
    """A new resource below `parent`."""
    return Resource(
        api_id=parent.api_id,
        id=resource_id,
        parent_id=parent.id,
        path_part=part,
        path=f"{parent.path.rstrip('/')}/{part}",
    )


def check_place(
    resources: Sequence[Resource], parent: Resource, part: str, moving: str = ""
) -> None:
    """Raise unless `part` may stand below `parent`; `moving` is the resource that comes there."""
    if parent.path_part is not None and parent.path_part.endswith("+}"):
        raise BadRequestException(
            f"Cannot create a child of a resource with a greedy path variable: {parent.path_part}"
        )
    siblings = [one for one in resources if one.parent_id == parent.id and one.id != moving]
    if any(one.path_part == part for one in siblings):
        raise ConflictException(
            f"Another resource with the same parent already has this name: {part}"
        )
    if is_path_parameter(part):
        for one in siblings:
            if is_path_parameter(one.path_part or ""):
                raise BadRequestException(
                    f"A sibling ({one.path_part}) of this resource already has a variable path "
                    "part -- only one is allowed"
                )


def check_room(count: int) -> None:
    """Raise unless an API may have `count` resources."""
    if count > RESOURCES_MAX:
        raise LimitExceededException(
            "Maximum number of resources for this API has been reached. Please contact AWS if "
            "you need additional resources."
        )


def check_size(resource: Resource) -> None:
    """Raise when a resource with its methods has grown too large to keep."""
    if len(msgspec.msgpack.encode(resource)) > RESOURCE_BYTES_MAX:
        raise LimitExceededException(
            f"The methods of {resource.path} are larger than {RESOURCE_BYTES_MAX} bytes together."
        )


def below(resources: Sequence[Resource], node: Resource) -> list[Resource]:
    """Every resource under `node`, parents first."""
    found: list[Resource] = []
    level = [node.id]
    while level:
        children = [one for one in resources if one.parent_id in level]
        found += children
        level = [one.id for one in children]
    return found


def moved(
    resources: Sequence[Resource], node: Resource, parent_id: str, part: str
) -> list[Resource]:
    """What changes when `node` gets another parent or part: itself first, then all below it."""
    if (parent_id, part) == (node.parent_id, node.path_part):
        return []
    parent = next((one for one in resources if one.id == parent_id), None)
    if parent is None:
        raise no_resource()
    check_path_part(part)
    under = below(resources, node)
    if parent.id == node.id or any(one.id == parent.id for one in under):
        raise BadRequestException("Resources cannot be cyclical.")
    check_place(resources, parent, part, moving=node.id)
    if under and part.endswith("+}"):
        raise BadRequestException(
            f"Cannot create a child of a resource with a greedy path variable: {part}"
        )
    changed = [
        msgspec.structs.replace(
            node, parent_id=parent.id, path_part=part, path=f"{parent.path.rstrip('/')}/{part}"
        )
    ]
    paths = {node.id: changed[0].path}
    for one in under:
        paths[one.id] = f"{paths[one.parent_id or '']}/{one.path_part}"
        changed.append(msgspec.structs.replace(one, path=paths[one.id]))
    return changed
