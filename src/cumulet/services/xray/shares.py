"""How a rule's reservoir is divided among its clients. In memory: a share lasts seconds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cumulet.core.clock import Clock
from cumulet.core.identity import Scope
from cumulet.services.xray.limits import TARGET_SECONDS

_RULES_MAX = 1_000
_CLIENTS_MAX = 1_000


@dataclass(slots=True)
class _Rule:
    clients: dict[str, float] = field(default_factory=dict)
    requests: int = 0
    sampled: int = 0
    borrowed: int = 0
    at: float = 0.0


class Shares:
    """The clients of all rules."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rules: dict[tuple[Scope, str], _Rule] = {}

    def take(self, scope: Scope, name: str, told: Mapping[str, Any], size: int) -> int:
        """A client's share of so many requests a second, and what it took is counted."""
        now = self._clock.now()
        rule = self._rules.get((scope, name))
        if rule is None:
            if len(self._rules) >= _RULES_MAX:
                self._rules.clear()
            rule = self._rules[scope, name] = _Rule()
        rule.requests += told["RequestCount"]
        rule.sampled += told["SampledCount"]
        rule.borrowed += told.get("BorrowCount") or 0
        rule.at = now
        rule.clients = {
            client: at for client, at in rule.clients.items() if now - at < 3 * TARGET_SECONDS
        }
        if len(rule.clients) < _CLIENTS_MAX:
            rule.clients[told["ClientID"]] = now
        return math.ceil(size / max(1, len(rule.clients))) if size else 0

    def summaries(self, scope: Scope) -> list[dict[str, Any]]:
        """What was taken of each rule, in AWS's spelling."""
        return [
            {
                "RuleName": name,
                "Timestamp": rule.at,
                "RequestCount": rule.requests,
                "BorrowCount": rule.borrowed,
                "SampledCount": rule.sampled,
            }
            for (where, name), rule in self._rules.items()
            if where == scope
        ]
