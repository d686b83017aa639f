"""Functions and their versions in the store."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from cumulet.core.identity import Scope
from cumulet.services.lambda_.limits import TOTAL_CODE_BYTES_MAX
from cumulet.services.lambda_.model import Function, Package, Version
from cumulet.services.lambda_.store.tables import (
    ALIASES,
    EVENT_CONFIGS,
    FUNCTIONS,
    LAYER_VERSIONS,
    NOWHERE,
    POLICIES,
    SCAN_MAX,
    URL_HOMES,
    URLS,
    VERSIONS,
    Tx,
)


async def load_version(tx: Tx, scope: Scope, name: str, number: int) -> Version | None:
    """A version, or None."""
    return await VERSIONS.load(tx, scope, name, number)


async def load_function(tx: Tx, scope: Scope, name: str) -> Function | None:
    """A function, or None."""
    return await FUNCTIONS.load(tx, scope, name)


async def scan_versions(
    tx: Tx, scope: Scope, name: str, after: int | None, limit: int
) -> list[Version]:
    """Versions of a function in their order, `$LATEST` first."""
    key = None if after is None else (name, after)
    return await VERSIONS.scan(tx, scope, name, limit=limit, after=key)


async def scan_functions(tx: Tx, scope: Scope, after: str, limit: int) -> list[Version]:
    """The `$LATEST` of each function, by name."""
    functions = await FUNCTIONS.scan(tx, scope, limit=limit, after=(after,) if after else None)
    found = [await VERSIONS.load(tx, scope, function.name, 0) for function in functions]
    return [version for version in found if version is not None]


async def scan_all_versions(
    tx: Tx, scope: Scope, after: tuple[str, int] | None, limit: int
) -> list[Version]:
    """Every version of every function, by name and number."""
    return await VERSIONS.scan(tx, scope, limit=limit, after=after)


async def scan_all_functions(tx: Tx, scope: Scope) -> list[Function]:
    """Every function record of the account and region."""
    return await FUNCTIONS.scan(tx, scope, limit=SCAN_MAX)


async def create(tx: Tx, scope: Scope, function: Function, versions: tuple[Version, ...]) -> bool:
    """Make a function with its first versions; False when the name is taken."""
    if not await FUNCTIONS.insert(tx, scope, function):
        return False
    for version in versions:
        await VERSIONS.save(tx, scope, version)
    return True


async def change_version(
    tx: Tx, scope: Scope, name: str, number: int, change: Callable[[Version], Version]
) -> tuple[Version, Version] | None:
    """Replace a version by `change` of it and give both; None when there is no such version.

    Only `$LATEST` (number 0) may change in more than its runtime updates.
    """
    old = await VERSIONS.load(tx, scope, name, number)
    if old is None:
        return None
    new = change(old)
    await VERSIONS.save(tx, scope, new)
    return old, new


async def publish(
    tx: Tx, scope: Scope, name: str, make: Callable[[Version, Version | None, int], Version | None]
) -> Version | None:
    """Publish what `make(latest, last published, next number)` gives.

    When it gives None there is nothing new, and the last published version is the answer. None
    when there is no such function.
    """
    function = await FUNCTIONS.load(tx, scope, name)
    latest = await VERSIONS.load(tx, scope, name, 0)
    if function is None or latest is None:
        return None
    last = None
    if function.last_number:
        last = await VERSIONS.load(tx, scope, name, function.last_number)
    number = function.last_number + 1
    made = make(latest, last, number)
    if made is None:
        return last
    await VERSIONS.save(tx, scope, made)
    await FUNCTIONS.save(tx, scope, msgspec.structs.replace(function, last_number=number))
    return made


async def code_bytes(tx: Tx, scope: Scope) -> tuple[int, int]:
    """Bytes of all packages and layers, and how many functions there are."""
    seen: dict[str, int] = {}
    count = 0
    for version in await VERSIONS.scan(tx, scope, limit=SCAN_MAX):
        seen[f"{version.function}:{version.package.digest}"] = version.package.size_bytes
        count += version.number == 0
    for layer in await LAYER_VERSIONS.scan(tx, scope, limit=SCAN_MAX):
        seen[f"layer:{layer.layer}:{layer.number}"] = layer.package.size_bytes
    return sum(seen.values()), count


async def has_room(tx: Tx, scope: Scope, package: Package) -> bool:
    """Whether the account may store one more package."""
    used, _ = await code_bytes(tx, scope)
    return used + package.size_bytes <= TOTAL_CODE_BYTES_MAX


async def is_blob_used(tx: Tx, blob_id: str) -> bool:
    """Whether a version or a layer of any account refers to the blob."""
    for scope in await VERSIONS.scopes(tx):
        if await VERSIONS.lookup(tx, scope, "blob", blob_id, limit=1):
            return True
    for scope in await LAYER_VERSIONS.scopes(tx):
        if await LAYER_VERSIONS.lookup(tx, scope, "blob", blob_id, limit=1):
            return True
    return False


async def change_function(
    tx: Tx, scope: Scope, name: str, change: Callable[[Function], Function]
) -> Function | None:
    """Replace a function's record by `change` of it; None when there is no such function."""
    function = await FUNCTIONS.load(tx, scope, name)
    if function is None:
        return None
    new = change(function)
    await FUNCTIONS.save(tx, scope, new)
    return new


async def reserve(
    tx: Tx, scope: Scope, name: str, reserved: int | None, reservable: int
) -> Function | int | None:
    """Set a function's reserved concurrency.

    None when there is no such function; the number that others reserve when it is too much.
    """
    function = await FUNCTIONS.load(tx, scope, name)
    if function is None:
        return None
    others = sum(
        each.reserved or 0
        for each in await FUNCTIONS.scan(tx, scope, limit=SCAN_MAX)
        if each.name != name
    )
    if reserved is not None and others + reserved > reservable:
        return others
    new = msgspec.structs.replace(function, reserved=reserved)
    await FUNCTIONS.save(tx, scope, new)
    return new


async def delete_function(tx: Tx, scope: Scope, name: str) -> list[Version] | None:
    """Remove a function with all that belongs to it; gives its versions, None without any."""
    if await FUNCTIONS.drop(tx, scope, name) is None:
        return None
    versions = await VERSIONS.scan(tx, scope, name, limit=SCAN_MAX)
    for version in versions:
        await VERSIONS.drop(tx, scope, name, version.number)
    for alias in await ALIASES.scan(tx, scope, name, limit=SCAN_MAX):
        await ALIASES.drop(tx, scope, name, alias.name)
    for policy in await POLICIES.scan(tx, scope, name, limit=SCAN_MAX):
        await POLICIES.drop(tx, scope, name, policy.qualifier)
    for config in await EVENT_CONFIGS.scan(tx, scope, name, limit=SCAN_MAX):
        await EVENT_CONFIGS.drop(tx, scope, name, config.qualifier)
    for url in await URLS.scan(tx, scope, name, limit=SCAN_MAX):
        await URLS.drop(tx, scope, name, url.qualifier)
        await URL_HOMES.drop(tx, NOWHERE, url.url_id)
    return versions


async def delete_version(tx: Tx, scope: Scope, name: str, number: int) -> Version | str | None:
    """Remove a published version and give it; None when there is none.

    The name of an alias that points to it, which keeps it.
    """
    for alias in await ALIASES.scan(tx, scope, name, limit=SCAN_MAX):
        if number == alias.number or str(number) in alias.weights:
            return alias.name
    version = await VERSIONS.drop(tx, scope, name, number)
    if version is not None:
        await POLICIES.drop(tx, scope, name, str(number))
        await EVENT_CONFIGS.drop(tx, scope, name, str(number))
    return version


async def unused_blobs(tx: Tx, scope: Scope, blob_ids: frozenset[str]) -> list[str]:
    """Those to which no version and no layer refers any more."""
    return [each for each in sorted(blob_ids) if not await is_blob_used(tx, each)]


async def used_digests(tx: Tx, scope: Scope) -> set[str]:
    """The digests of all packages and layers of an account and region, for the folders' sweep."""
    used = {layer.package.digest for layer in await LAYER_VERSIONS.scan(tx, scope, limit=SCAN_MAX)}
    for version in await VERSIONS.scan(tx, scope, limit=SCAN_MAX):
        used.add(version.package.digest)
        used.update(use.package.digest for use in version.settings.layers)
    return used


async def used_runtimes(tx: Tx, scope: Scope) -> set[str]:
    """The runtimes of the functions of an account and region."""
    return {one.settings.runtime for one in await VERSIONS.scan(tx, scope, limit=SCAN_MAX)}


async def scopes_with_code(tx: Tx, scope: Scope) -> list[Scope]:
    """Every account and region that has functions or layers."""
    return sorted({*await VERSIONS.scopes(tx), *await LAYER_VERSIONS.scopes(tx)})
