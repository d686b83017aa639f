"""Layers and their versions in the store."""

from __future__ import annotations

from collections.abc import Callable

from cumulet.core.identity import Scope
from cumulet.services.lambda_.model import Layer, LayerVersion
from cumulet.services.lambda_.store.tables import LAYER_VERSIONS, LAYERS, Tx


async def publish_layer(
    tx: Tx, scope: Scope, name: str, make: Callable[[int], LayerVersion]
) -> LayerVersion:
    """Make the next version of a layer. Numbers are never given twice, even after deletion."""
    layer = await LAYERS.load(tx, scope, name)
    number = 1 if layer is None else layer.last_number + 1
    made = make(number)
    await LAYERS.save(tx, scope, Layer(name, number))
    await LAYER_VERSIONS.save(tx, scope, made)
    return made


async def load_layer_version(tx: Tx, scope: Scope, name: str, number: int) -> LayerVersion | None:
    """A layer version, or None."""
    return await LAYER_VERSIONS.load(tx, scope, name, number)


async def change_layer_version(
    tx: Tx, scope: Scope, name: str, number: int, change: Callable[[LayerVersion], LayerVersion]
) -> LayerVersion | None:
    """Replace a layer version by `change` of it (its policy only); None when there is none."""
    old = await LAYER_VERSIONS.load(tx, scope, name, number)
    if old is None:
        return None
    new = change(old)
    await LAYER_VERSIONS.save(tx, scope, new)
    return new


async def drop_layer_version(tx: Tx, scope: Scope, name: str, number: int) -> LayerVersion | None:
    """Remove a layer version and give it; functions that use it keep it."""
    return await LAYER_VERSIONS.drop(tx, scope, name, number)


async def scan_layer_versions(
    tx: Tx, scope: Scope, name: str, before: int | None, limit: int
) -> list[LayerVersion]:
    """Versions of a layer, the newest first; `before` is the last one seen."""
    key = None if before is None else (name, before)
    return await LAYER_VERSIONS.scan(tx, scope, name, limit=limit, after=key, reverse=True)


async def scan_layers(tx: Tx, scope: Scope, after: str | None, limit: int) -> list[Layer]:
    """Layers by name, those without a version left included."""
    key = None if after is None else (after,)
    return await LAYERS.scan(tx, scope, limit=limit, after=key)
