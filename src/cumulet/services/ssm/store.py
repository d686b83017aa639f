"""Where parameters and their versions lie."""

from __future__ import annotations

import msgspec

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.kv.table import Table
from cumulet.services.ssm.limits import VERSIONS_MAX
from cumulet.services.ssm.model import Parameter, Version

PARAMETERS: Table[Parameter] = Table("ssm", "parameter", Parameter, lambda one: (one.name,))
VERSIONS: Table[Version] = Table(
    "ssm", "version", Version, lambda version: (version.name, version.number)
)

TABLES = (PARAMETERS, VERSIONS)


class OldestIsLabelled(Exception):
    """No further version fits before the oldest has lost its labels."""


async def load(tx: Transaction, scope: Scope, name: str) -> Parameter | None:
    """A parameter. At the top level a name is the same with a slash before it and without."""
    found = await PARAMETERS.load(tx, scope, name)
    if found is None and name.count("/") == 0:
        return await PARAMETERS.load(tx, scope, f"/{name}")
    if found is None and name.startswith("/") and name.count("/") == 1:
        return await PARAMETERS.load(tx, scope, name[1:])
    return found


async def write(
    tx: Transaction, scope: Scope, old: Parameter | None, version: Version, tags: dict[str, str]
) -> Parameter:
    """Add a version, the first or a further one. Raises OldestIsLabelled."""
    if old is None:
        new = Parameter(name=version.name, latest=version, tags=tags)
    else:
        oldest = old.oldest
        if version.number - oldest >= VERSIONS_MAX:
            if old.labels_on(oldest):
                raise OldestIsLabelled
            await VERSIONS.drop(tx, scope, old.name, oldest)
            oldest += 1
        new = msgspec.structs.replace(old, latest=version, oldest=oldest)
    await VERSIONS.save(tx, scope, version)
    await PARAMETERS.save(tx, scope, new)
    return new


async def remove(tx: Transaction, scope: Scope, parameter: Parameter) -> None:
    """Remove a parameter with all its versions."""
    for number in range(parameter.oldest, parameter.latest.number + 1):
        await VERSIONS.drop(tx, scope, parameter.name, number)
    await PARAMETERS.drop(tx, scope, parameter.name)


async def load_version(
    tx: Transaction, scope: Scope, parameter: Parameter, number: int
) -> Version | None:
    """One version of a parameter."""
    if number == parameter.latest.number:
        return parameter.latest
    return await VERSIONS.load(tx, scope, parameter.name, number)
