"""Environment variables at rest: sealed, and bound to the function they belong to."""

from __future__ import annotations

import msgspec

from cumulet.core.identity import Scope
from cumulet.kit.ports import Sealer
from cumulet.services.lambda_.model import Version


def purpose_of(scope: Scope, name: str) -> str:
    """What a function's variables are sealed for."""
    return f"lambda environment {scope.arn('lambda', f'function:{name}')}"


def seal_environment(
    sealer: Sealer, scope: Scope, name: str, variables: dict[str, str]
) -> bytes | None:
    """The stored form; None without variables."""
    if not variables:
        return None
    return sealer.seal(msgspec.json.encode(variables), purpose_of(scope, name))


def open_environment(sealer: Sealer, scope: Scope, version: Version) -> dict[str, str]:
    """The variables of a version."""
    sealed = version.settings.environment
    if sealed is None:
        return {}
    plain = sealer.unseal(sealed, purpose_of(scope, version.function))
    return msgspec.json.decode(plain, type=dict[str, str])
