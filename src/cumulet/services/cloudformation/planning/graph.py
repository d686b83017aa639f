"""The order in which resources must be made. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Mapping

from cumulet.services.cloudformation.errors import ValidationError

Needs = Mapping[str, frozenset[str]]
"""For every resource, those that must be there before it."""


def ordered(needs: Needs) -> list[str]:
    """An order in which everything comes after what it needs; the same for the same graph.

    Raises ValidationError naming the resources of a cycle.
    """
    waiting = {name: set(before) & needs.keys() for name, before in needs.items()}
    followers: dict[str, list[str]] = {name: [] for name in needs}
    for name, before in waiting.items():
        for one in before:
            followers[one].append(name)
    ready = [name for name, before in waiting.items() if not before]
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        name = heapq.heappop(ready)
        order.append(name)
        for follower in followers[name]:
            waiting[follower].discard(name)
            if not waiting[follower]:
                heapq.heappush(ready, follower)
    if len(order) < len(needs):
        raise ValidationError(
            f"Circular dependency between resources: [{', '.join(_in_cycles(waiting, order))}]"
        )
    return order


def _in_cycles(waiting: Mapping[str, set[str]], order: list[str]) -> list[str]:
    """Those left over that also have a follower among them: the cycles themselves."""
    left = waiting.keys() - set(order)
    while True:
        needed = {one for name in left for one in waiting[name] if one in left}
        if needed == left:
            return sorted(left)
        left = needed


def reversed_needs(needs: Needs) -> dict[str, frozenset[str]]:
    """The graph for taking things away: each waits for those that need it."""
    followers: dict[str, set[str]] = {name: set() for name in needs}
    for name, before in needs.items():
        for one in before:
            if one in followers and one != name:
                followers[one].add(name)
    return {name: frozenset(after) for name, after in followers.items()}


def without_cycles(needs: Needs) -> dict[str, frozenset[str]]:
    """The graph with just so many edges left out that it has an order.

    What stands may need each other crosswise when a template changed between; any order will do.
    """
    kept: dict[str, frozenset[str]] = {}
    settled: set[str] = set()
    left = dict(needs)
    while left:
        free = [n for n, before in left.items() if not (before & left.keys()) - {n}]
        for name in free or [min(left)]:
            kept[name] = left.pop(name) & settled
        settled.update(kept)
    return kept
