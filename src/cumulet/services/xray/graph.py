"""The graph of services that traces went through. Pure.

https://docs.aws.amazon.com/xray/latest/api/API_GetServiceGraph.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from cumulet.services.xray.limits import PARENTS_MAX
from cumulet.services.xray.nodes import hands_on, node_of
from cumulet.services.xray.segments import Document, Part, parts_of

Node = tuple[str, str]
"""The name of a service, and its type."""

CLIENT: Node = ("client", "client")


class Counted:
    """How calls went: on a service, or between two."""

    def __init__(self) -> None:
        self.began = float("inf")
        self.ended = 0.0
        self.total = self.ok = self.faults = self.errors = self.throttles = 0
        self.seconds = 0.0
        self.times: dict[float, int] = {}

    def add(self, part: Part) -> None:
        """Count a call."""
        self.began, self.ended = min(self.began, part.began), max(self.ended, part.ended)
        self.total += 1
        took = max(0.0, part.ended - part.began)
        self.seconds += took
        rounded = round(took, 3)
        self.times[rounded] = self.times.get(rounded, 0) + 1
        if part.says("fault"):
            self.faults += 1
        elif part.says("throttle"):
            self.throttles += 1
        elif part.says("error"):
            self.errors += 1
        else:
            self.ok += 1

    def told(self) -> dict[str, Any]:
        """The counts in AWS's spelling."""
        return {
            "StartTime": self.began,
            "EndTime": self.ended,
            "SummaryStatistics": {
                "OkCount": self.ok,
                "ErrorStatistics": {
                    "ThrottleCount": self.throttles,
                    "OtherCount": self.errors,
                    "TotalCount": self.errors + self.throttles,
                },
                "FaultStatistics": {"OtherCount": self.faults, "TotalCount": self.faults},
                "TotalCount": self.total,
                "TotalResponseTime": self.seconds,
            },
            "ResponseTimeHistogram": [
                {"Value": value, "Count": count} for value, count in sorted(self.times.items())
            ],
        }


class Graph:
    """Services and the calls between them, as traces are put in."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._nodes: dict[tuple[str, str], Counted] = {}
        self._edges: dict[tuple[tuple[str, str], tuple[str, str]], Counted] = {}
        self._roots: set[tuple[str, str]] = set()

    def add(self, documents: Sequence[Document]) -> None:
        """Put a trace in."""
        for caller, node, part in calls_of(documents):
            self._nodes.setdefault(node, Counted()).add(part)
            if caller == CLIENT:
                self._roots.add(CLIENT)
                self._nodes.setdefault(CLIENT, Counted()).add(part)
            if caller is not None and caller != node:
                self._edges.setdefault((caller, node), Counted()).add(part)

    def services(self) -> list[dict[str, Any]]:
        """The services in AWS's spelling, with their edges."""
        numbers = {node: number for number, node in enumerate(self._nodes)}
        return [self._told(node, numbers) for node in self._nodes]

    def _told(self, node: tuple[str, str], numbers: dict[tuple[str, str], int]) -> dict[str, Any]:
        counted = self._nodes[node]
        told = counted.told()
        told["DurationHistogram"] = told["ResponseTimeHistogram"]
        edges: Iterable[tuple[tuple[str, str], Counted]] = (
            (to, edge) for (begin, to), edge in self._edges.items() if begin == node
        )
        return {
            "ReferenceId": numbers[node],
            "Name": node[0],
            "Names": [node[0]],
            "Type": node[1],
            "AccountId": self._account,
            "State": "active",
            "Root": node in self._roots,
            "Edges": [
                {"ReferenceId": numbers[to], "Aliases": [], **edge.told()} for to, edge in edges
            ],
            **told,
        }


def calls_of(documents: Sequence[Document]) -> Iterator[tuple[Node | None, Node, Part]]:
    """The calls in a trace: who called, which service, and how it went.

    Nobody called what is not a segment of its own and has none above it.
    """
    parts = list(parts_of(documents))
    by_id = {part.id: part for part in parts}
    answered = {part.parent for part in parts if part.depth == 0}
    for part in parts:
        if not _is_service(part, answered):
            continue
        caller = _caller(part, by_id)
        if caller is None and part.depth == 0:
            caller = CLIENT
        yield caller, node_of(part.document), part


def _caller(part: Part, by_id: dict[str, Part]) -> Node | None:
    """The service whose segment the call came from, or that handed it on."""
    above = by_id.get(part.parent)
    for _ in range(PARENTS_MAX):
        if above is None or above.depth == 0 or hands_on(above.document):
            break
        above = by_id.get(above.parent)
    return None if above is None else node_of(above.document)


def _is_service(part: Part, answered: set[str]) -> bool:
    """Segments are services; so are calls of services that sent no segment of their own.

    A queue is one even when somebody told what came of its messages.
    """
    if part.depth == 0:
        return True
    if part.document.get("namespace") not in ("aws", "remote"):
        return False
    return part.id not in answered or hands_on(part.document)
