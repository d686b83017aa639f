"""What is asked of policies, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from cumulet.core.identity import Principal


class MalformedPolicy(ValueError):
    """A policy document that cannot be one; the message is AWS's sentence."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy document with the name by which a decision refers to it.

    `by_action` remembers which statements speak of an action; it holds nothing but what can be
    worked out again from the statements.
    """

    name: str
    statements: tuple[Any, ...] = ()
    by_action: dict[str, tuple[Any, ...]] = field(default_factory=dict, compare=False, repr=False)


class Question(msgspec.Struct, frozen=True):
    """May `caller` do `action` on `resource`? `context` holds the condition keys."""

    caller: Principal
    action: str
    resource: str
    context: Mapping[str, Any]


class Decision(msgspec.Struct, frozen=True):
    """The answer, and the reason in the words that AWS uses in its access-denied messages.

    The reason continues the sentence "… on resource: X", with "because no …" or "with an explicit
    deny …". `policies` names those whose statements decided.
    """

    effect: Literal["allow", "deny", "implicit_deny"]
    reason: str
    policies: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the request may go on."""
        return self.effect == "allow"


class Decided:
    """A decision with what it was about, as the trace tells it."""

    __slots__ = ("decision", "note")

    def __init__(self, action: str, resource: str, decision: Decision) -> None:
        self.decision = decision
        self.note = {
            "iam_action": action,
            "iam_resource": resource,
            "iam_effect": decision.effect,
            "iam_reason": decision.reason,
            "iam_policies": decision.policies,
        }


@dataclass(frozen=True, slots=True)
class IdentityPolicies:
    """What binds an identity: its own policies, a permissions boundary, and its session's.

    `decided` remembers decisions that no condition had a part in; like `Policy.by_action` it holds
    nothing but what can be worked out again.
    """

    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: tuple[Policy, ...] = ()
    decided: dict[tuple[str, ...], Decided] = field(default_factory=dict, compare=False, repr=False)
