"""Statements made ready once, to be asked often."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cumulet.kit.policy.conditions import parse_conditions
from cumulet.kit.policy.model import MalformedPolicy, Policy
from cumulet.kit.policy.patterns import Facts, Texts, as_texts, variables_in
from cumulet.kit.policy.principals import Principals

VARIABLES_SINCE: Final = "2012-10-17"
"""Policies of the older version have no variables: `${…}` is plain text there."""

ACTIONS_REMEMBERED_MAX: Final = 512
"""Actions for which a policy remembers its statements."""

_ELEMENTS = frozenset(
    {
        *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"),
        *("Resource", "NotResource", "Condition"),
    }
)
_NOTHING = Facts({})


class Statement:
    """One statement. `principals` is None in a policy that is bound to an identity.

    `keys` are the condition keys that it looks at, as they are written.
    """

    __slots__ = (
        "_actions",
        "_conditions",
        "_not_action",
        "_not_resource",
        "_resources",
        "denies",
        "keys",
        "not_principal",
        "principals",
        "sid",
    )

    def __init__(self, element: Any, *, variables: bool) -> None:
        if not isinstance(element, Mapping) or not element.keys() <= _ELEMENTS:
            raise MalformedPolicy("Syntax errors in policy.")
        if element.get("Effect") not in ("Allow", "Deny"):
            raise MalformedPolicy("Syntax errors in policy.")
        self.sid = str(element.get("Sid", ""))
        self.denies: bool = element["Effect"] == "Deny"
        actions, self._not_action = _either(element, "Action", "NotAction")
        if actions is None:
            raise MalformedPolicy("Policy statement must contain actions.")
        self._actions = Texts((name.lower() for name in actions), variables=False)
        resources, self._not_resource = _either(element, "Resource", "NotResource")
        self._resources = None if resources is None else Texts(resources, variables=variables)
        self.not_principal = "NotPrincipal" in element
        if self.not_principal and "Principal" in element:
            raise MalformedPolicy("Syntax errors in policy.")
        given = element.get("NotPrincipal") if self.not_principal else element.get("Principal")
        self.principals = None if given is None else Principals(given)
        self._conditions = parse_conditions(element.get("Condition", {}), variables=variables)
        self.keys = frozenset(_keys_in(element, variables))

    def speaks_of(self, action: str) -> bool:
        """Whether an action (in lower case) is meant."""
        return self._actions.match(action, _NOTHING) is not self._not_action

    def applies(self, resource: str, facts: Facts) -> bool:
        """Whether the resource is meant and every condition holds."""
        if self._resources is not None and not self._means(self._resources, resource, facts):
            return False
        for condition in self._conditions:  # noqa: SIM110 (a generator costs more than the check)
            if not condition.holds(facts):
                return False
        return True

    def _means(self, resources: Texts, resource: str, facts: Facts) -> bool:
        if not self._not_resource:
            return resources.match(resource, facts)
        if not resources.all_known(facts):
            # What is excepted is unknown: nothing is allowed by it, and everything is denied.
            return self.denies
        return not resources.match(resource, facts)


def parse_policy(name: str, text: str | Mapping[str, Any]) -> Policy:
    """A policy ready for `decide`, from its JSON text. Raises MalformedPolicy.

    An element that is not known is refused rather than ignored. The rules that depend on where a
    policy is attached are in `check_document`.
    """
    document = read_document(text) if isinstance(text, str) else text
    version = document.get("Version", "2008-10-17")
    given = document.get("Statement", [])
    elements = given if isinstance(given, list) else [given]
    variables = version == VARIABLES_SINCE
    return Policy(name, tuple(Statement(element, variables=variables) for element in elements))


def read_document(text: str) -> Mapping[str, Any]:
    """The JSON object of a policy. Raises MalformedPolicy."""
    try:
        document = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as cause:
        raise MalformedPolicy("Syntax errors in policy.") from cause
    if not isinstance(document, dict):
        raise MalformedPolicy("Syntax errors in policy.")
    return document


def statements_on(policy: Policy, action: str) -> tuple[Statement, ...]:
    """The statements that speak of an action."""
    found = policy.by_action.get(action)
    if found is None:
        lowered = action.lower()
        found = tuple(item for item in policy.statements if item.speaks_of(lowered))
        if len(policy.by_action) >= ACTIONS_REMEMBERED_MAX:
            policy.by_action.clear()
        policy.by_action[action] = found
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise MalformedPolicy("Syntax errors in policy.")
    return made


def _keys_in(element: Mapping[str, Any], variables: bool) -> Iterator[str]:
    texts: list[str] = []
    for keys in element.get("Condition", {}).values():
        for key, values in keys.items():
            yield key
            texts.extend(as_texts(values))
    if variables:
        texts.extend(as_texts(element.get("Resource", element.get("NotResource"))))
        for text in texts:
            yield from variables_in(text)


def _either(element: Mapping[str, Any], name: str, inverse: str) -> tuple[list[str] | None, bool]:
    if name in element and inverse in element:
        raise MalformedPolicy("Syntax errors in policy.")
    inverted = inverse in element
    value = element.get(inverse if inverted else name)
    if value is None:
        return None, inverted
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, str) for item in items):
        raise MalformedPolicy("Syntax errors in policy.")
    return items, inverted
