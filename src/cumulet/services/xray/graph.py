"""The graph of services that traces went through. Pure.

https://docs.aws.amazon.com/xray/latest/api/API_GetServiceGraph.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cumulet.services.xray.segments import Document, Part, parts_of, service_of

_CLIENT = ("client", "client")


class _Counted:
    """How calls went: on a service, or on an edge between two."""

    def __init__(self) -> None:
        self.began = float("inf")
        self.ended = 0.0
        self.total = self.ok = self.faults = self.errors = self.throttles = 0
        self.seconds = 0.0
        self.times: dict[float, int] = {}

    def add(self, part: Part) -> None:
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
        self._nodes: dict[tuple[str, str], _Counted] = {}
        self._edges: dict[tuple[tuple[str, str], tuple[str, str]], _Counted] = {}
        self._roots: set[tuple[str, str]] = set()

    def add(self, documents: Sequence[Document]) -> None:
        """Put a trace in."""
        parts = list(parts_of(documents))
        by_id = {part.id: part for part in parts}
        answered = {part.parent for part in parts if part.depth == 0}
        for part in parts:
            if not _is_service(part, answered):
                continue
            node = self._key(part.document)
            self._nodes.setdefault(node, _Counted()).add(part)
            caller = self._caller(part, by_id)
            if caller is None and part.depth == 0:
                self._roots.add(_CLIENT)
                caller = _CLIENT
                self._nodes.setdefault(_CLIENT, _Counted()).add(part)
            if caller is not None and caller != node:
                self._edges.setdefault((caller, node), _Counted()).add(part)

    def _key(self, document: Document) -> tuple[str, str]:
        service = service_of(document, self._account)
        return str(service["Name"]), str(service["Type"])

    def _caller(self, part: Part, by_id: dict[str, Part]) -> tuple[str, str] | None:
        """The service whose segment the call came from."""
        above = by_id.get(part.parent)
        for _ in range(100):
            if above is None or above.depth == 0:
                break
            above = by_id.get(above.parent)
        return None if above is None else self._key(above.document)

    def services(self) -> list[dict[str, Any]]:
        """The services in AWS's spelling, with their edges."""
        numbers = {node: number for number, node in enumerate(self._nodes)}
        return [self._told(node, numbers) for node in self._nodes]

    def _told(self, node: tuple[str, str], numbers: dict[tuple[str, str], int]) -> dict[str, Any]:
        counted = self._nodes[node]
        told = counted.told()
        told["DurationHistogram"] = told["ResponseTimeHistogram"]
        edges: Iterable[tuple[tuple[str, str], _Counted]] = (
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


def _is_service(part: Part, answered: set[str]) -> bool:
    """Segments are services; so are calls of services that sent no segment of their own."""
    if part.depth == 0:
        return True
    return part.document.get("namespace") in ("aws", "remote") and part.id not in answered
