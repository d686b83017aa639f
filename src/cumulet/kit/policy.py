"""IAM policies: parsing and evaluation. Pure: no I/O, no clock, no storage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cumulet.core.identity import Principal


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy document with the name by which a decision refers to it."""

    name: str
    statements: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class IdentityPolicies:
    """What binds an identity: its own policies, a permissions boundary, and its session's."""

    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: tuple[Policy, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """May `caller` do `action` on `resource`? `context` holds the condition keys."""

    caller: Principal
    action: str
    resource: str
    context: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, and the reason in the words that AWS uses in its access-denied messages."""

    effect: Literal["allow", "deny", "implicit_deny"]
    reason: str

    @property
    def allowed(self) -> bool:
        """Whether the request may go on."""
        return self.effect == "allow"


def decide(
    question: Question,
    identity: IdentityPolicies,
    resource: tuple[Policy, ...],
    owner: str,
) -> Decision:
    """Evaluate; `owner` is the account of the resource.

    Follows https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
    """
    raise NotImplementedError
