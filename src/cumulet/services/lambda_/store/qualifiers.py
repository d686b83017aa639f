"""What hangs on a function or on one of its qualifiers: aliases, policies, event rules, URLs."""

from __future__ import annotations

from collections.abc import Callable

from cumulet.core.identity import Scope
from cumulet.services.lambda_.model import Alias, EventConfig, Policy, Url, UrlHome
from cumulet.services.lambda_.store.tables import (
    ALIASES,
    EVENT_CONFIGS,
    NOWHERE,
    POLICIES,
    URL_HOMES,
    URLS,
    Tx,
)


async def load_alias(tx: Tx, scope: Scope, name: str, alias: str) -> Alias | None:
    """An alias, or None."""
    return await ALIASES.load(tx, scope, name, alias)


async def scan_aliases(tx: Tx, scope: Scope, name: str, after: str, limit: int) -> list[Alias]:
    """Aliases of a function, by name."""
    key = (name, after) if after else None
    return await ALIASES.scan(tx, scope, name, limit=limit, after=key)


async def insert_alias(tx: Tx, scope: Scope, alias: Alias) -> bool:
    """Make an alias; False when the name is taken."""
    return await ALIASES.insert(tx, scope, alias)


async def change_alias(
    tx: Tx, scope: Scope, name: str, alias: str, change: Callable[[Alias], Alias]
) -> Alias | None:
    """Replace an alias by `change` of it; None when there is none."""
    old = await ALIASES.load(tx, scope, name, alias)
    if old is None:
        return None
    new = change(old)
    await ALIASES.save(tx, scope, new)
    return new


async def drop_alias(tx: Tx, scope: Scope, name: str, alias: str) -> None:
    """Remove an alias with its policy, event rules and URL; nothing when there is none."""
    if await ALIASES.drop(tx, scope, name, alias) is not None:
        await POLICIES.drop(tx, scope, name, alias)
        await EVENT_CONFIGS.drop(tx, scope, name, alias)
        await drop_url(tx, scope, name, alias)


async def load_policy(tx: Tx, scope: Scope, name: str, qualifier: str) -> Policy | None:
    """A resource policy, or None."""
    return await POLICIES.load(tx, scope, name, qualifier)


async def change_policy(
    tx: Tx,
    scope: Scope,
    name: str,
    qualifier: str,
    change: Callable[[Policy | None], Policy | None],
) -> None:
    """Replace a resource policy by `change` of it; None removes it."""
    new = change(await POLICIES.load(tx, scope, name, qualifier))
    if new is None:
        await POLICIES.drop(tx, scope, name, qualifier)
    else:
        await POLICIES.save(tx, scope, new)


async def load_event_config(tx: Tx, scope: Scope, name: str, qualifier: str) -> EventConfig | None:
    """How asynchronous events of a qualifier are handled, or None."""
    return await EVENT_CONFIGS.load(tx, scope, name, qualifier)


async def save_event_config(tx: Tx, scope: Scope, config: EventConfig) -> None:
    """Set how asynchronous events of a qualifier are handled."""
    await EVENT_CONFIGS.save(tx, scope, config)


async def drop_event_config(tx: Tx, scope: Scope, name: str, qualifier: str) -> bool:
    """Remove it; False when there was none."""
    return await EVENT_CONFIGS.drop(tx, scope, name, qualifier) is not None


async def scan_event_configs(
    tx: Tx, scope: Scope, name: str, after: str | None, limit: int
) -> list[EventConfig]:
    """Those of all qualifiers of a function."""
    key = None if after is None else (name, after)
    return await EVENT_CONFIGS.scan(tx, scope, name, limit=limit, after=key)


async def load_url(tx: Tx, scope: Scope, name: str, qualifier: str) -> Url | None:
    """The URL of a function or alias, or None."""
    return await URLS.load(tx, scope, name, qualifier)


async def insert_url(tx: Tx, scope: Scope, url: Url) -> bool:
    """Make a URL; False when the function or alias has one."""
    if not await URLS.insert(tx, scope, url):
        return False
    home = UrlHome(url.url_id, scope.account, scope.region, url.function, url.qualifier)
    await URL_HOMES.save(tx, NOWHERE, home)
    return True


async def change_url(
    tx: Tx, scope: Scope, name: str, qualifier: str, change: Callable[[Url], Url]
) -> Url | None:
    """Replace a URL by `change` of it; None when there is none."""
    old = await URLS.load(tx, scope, name, qualifier)
    if old is None:
        return None
    new = change(old)
    await URLS.save(tx, scope, new)
    return new


async def drop_url(tx: Tx, scope: Scope, name: str, qualifier: str) -> bool:
    """Remove a URL; False when there was none."""
    url = await URLS.drop(tx, scope, name, qualifier)
    if url is not None:
        await URL_HOMES.drop(tx, NOWHERE, url.url_id)
    return url is not None


async def scan_urls(tx: Tx, scope: Scope, name: str, after: str | None, limit: int) -> list[Url]:
    """The URLs of a function and its aliases."""
    key = None if after is None else (name, after)
    return await URLS.scan(tx, scope, name, limit=limit, after=key)


async def find_url(tx: Tx, scope: Scope, url_id: str) -> tuple[UrlHome, Url] | None:
    """A URL by its id alone, with where it lives."""
    home = await URL_HOMES.load(tx, NOWHERE, url_id)
    if home is None:
        return None
    url = await URLS.load(tx, Scope(home.account, home.region), home.function, home.qualifier)
    return None if url is None else (home, url)
