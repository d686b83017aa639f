"""Lambda's tables: what lies where."""

from __future__ import annotations

from typing import Any

from cumulet.core.identity import Scope
from cumulet.kv.space import Space
from cumulet.kv.table import Table
from cumulet.services.lambda_.model import (
    Alias,
    Event,
    EventConfig,
    EventPart,
    Function,
    Layer,
    LayerVersion,
    Policy,
    Url,
    UrlHome,
    Version,
)

Tx = Any

SCAN_MAX = 10_000
"""Records of one function (versions, aliases, …) that one transaction handles."""

NOWHERE = Scope("", "")

_SERVICE = "lambda"


FUNCTIONS: Table[Function] = Table(_SERVICE, "function", Function, lambda f: (f.name,))
VERSIONS: Table[Version] = Table(
    _SERVICE,
    "version",
    Version,
    lambda version: (version.function, version.number),
    indexes={"blob": lambda version: [(blob_id,) for blob_id in sorted(version.blob_ids)]},
)
ALIASES: Table[Alias] = Table(_SERVICE, "alias", Alias, lambda a: (a.function, a.name))
POLICIES: Table[Policy] = Table(_SERVICE, "policy", Policy, lambda p: (p.function, p.qualifier))
EVENT_CONFIGS: Table[EventConfig] = Table(
    _SERVICE, "event-config", EventConfig, lambda c: (c.function, c.qualifier)
)
URLS: Table[Url] = Table(_SERVICE, "url", Url, lambda url: (url.function, url.qualifier))
URL_HOMES: Table[UrlHome] = Table(
    _SERVICE, "url-home", UrlHome, lambda home: (home.url_id,), extent="global"
)
LAYERS: Table[Layer] = Table(_SERVICE, "layer", Layer, lambda layer: (layer.name,))
LAYER_VERSIONS: Table[LayerVersion] = Table(
    _SERVICE,
    "layer-version",
    LayerVersion,
    lambda version: (version.layer, version.number),
    indexes={"blob": lambda version: [(version.package.blob_id,)]},
)
EVENTS: Table[Event] = Table(
    _SERVICE,
    "event",
    Event,
    lambda event: (event.event_id,),
    extent="global",
    indexes={"due": lambda event: [(event.due,)]},
)
EVENT_PARTS: Table[EventPart] = Table(
    _SERVICE, "event-part", EventPart, lambda part: (part.event_id, part.number), extent="global"
)
TABLES = (
    FUNCTIONS,
    VERSIONS,
    ALIASES,
    POLICIES,
    EVENT_CONFIGS,
    URLS,
    URL_HOMES,
    LAYERS,
    LAYER_VERSIONS,
    EVENTS,
    EVENT_PARTS,
)


def scope_prefix(scope: Scope) -> bytes:
    """With what every key of Lambda in that account and region begins, for caches."""
    return Space((scope.account, scope.region, _SERVICE)).prefix
