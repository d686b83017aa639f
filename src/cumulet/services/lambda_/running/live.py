"""The functions as they are now, kept ready in memory so that an invocation reads no store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cumulet.core.identity import Scope
from cumulet.kit.service import OwnedPolicies
from cumulet.kv.contract import Store
from cumulet.services.lambda_ import store
from cumulet.services.lambda_.errors import ResourceNotFoundException
from cumulet.services.lambda_.forms.names import LATEST, FunctionRef
from cumulet.services.lambda_.forms.policies import parsed
from cumulet.services.lambda_.model import EventConfig, Function, Version, is_label, number_of
from cumulet.services.lambda_.running.tracing.lineage import mark_of

_REMEMBERED_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Entry:
    """What a function name with a qualifier stands for.

    `version` answers, or with probability `other_weight` the version `other`. `reserved_total` is
    the concurrency that all functions of the account and region reserve together, `mark` the
    function's name in lineages, `arn` what the function is told of itself.
    """

    ref: FunctionRef
    function: Function
    version: Version
    other: Version | None
    other_weight: float
    owned: OwnedPolicies
    event_config: EventConfig | None
    reserved_total: int
    mark: str
    arn: str


class Live:
    """A cache of entries that a commit in the function's account and region empties."""

    def __init__(self, records: Store) -> None:
        self._store = records
        self._entries: dict[Scope, dict[tuple[str, str], Entry]] = {}
        self._generation = 0
        self._ends: list[Callable[[], None]] = []

    def stop(self) -> None:
        """Listen to no more changes."""
        for end in self._ends:
            end()
        self._ends.clear()
        self._entries.clear()

    def known(self, ref: FunctionRef) -> Entry | None:
        """The entry, when it is in memory."""
        entries = self._entries.get(ref.scope)
        return None if entries is None else entries.get((ref.name, ref.qualifier))

    async def find(self, ref: FunctionRef) -> Entry:
        """The entry. Raises ResourceNotFoundException."""
        known = self.known(ref)
        return known if known is not None else await self._load(ref)

    async def _load(self, ref: FunctionRef) -> Entry:
        entries = self._entries.get(ref.scope)
        if entries is None:
            entries = self._follow(ref.scope)
        generation = self._generation
        entry = await self._store.transact(lambda tx: _read(tx, ref))
        if generation == self._generation and entries is self._entries.get(ref.scope):
            if len(entries) >= _REMEMBERED_MAX:
                entries.clear()
            entries[ref.name, ref.qualifier] = entry
        return entry

    def _follow(self, scope: Scope) -> dict[tuple[str, str], Entry]:
        entries: dict[tuple[str, str], Entry] = {}

        def changed(_: bytes) -> None:
            self._generation += 1
            entries.clear()

        self._ends.append(self._store.on_change(store.scope_prefix(scope), changed))
        self._entries[scope] = entries
        return entries


async def _read(tx: Any, ref: FunctionRef) -> Entry:
    scope, name, qualifier = ref
    function = await store.load_function(tx, scope, name)
    if function is None:
        raise not_found(ref)
    other, weight = None, 0.0
    if is_label(qualifier):
        number = number_of(qualifier) if qualifier else 0
    else:
        alias = await store.load_alias(tx, scope, name, qualifier)
        if alias is None:
            raise not_found(ref)
        number = alias.number
        for label, share in alias.weights.items():
            other, weight = await store.load_version(tx, scope, name, number_of(label)), share
    version = await store.load_version(tx, scope, name, number)
    if version is None:
        raise not_found(ref)
    hung_on = "" if qualifier == LATEST else qualifier
    policy = await store.load_policy(tx, scope, name, hung_on)
    config = await store.load_event_config(tx, scope, name, hung_on)
    functions = await store.scan_all_functions(tx, scope)
    return Entry(
        ref,
        function,
        version,
        other,
        weight,
        OwnedPolicies(scope.account, () if policy is None else parsed(policy)),
        config,
        sum(each.reserved or 0 for each in functions),
        mark_of(ref.unqualified_arn),
        ref.arn,
    )


def not_found(ref: FunctionRef) -> ResourceNotFoundException:
    """The error for a function, version or alias that is not there."""
    return ResourceNotFoundException(f"Function not found: {ref.arn}")
