"""Segment documents: what they must be, and what they say of a trace. Pure.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cumulet.services.xray.limits import (
    ANNOTATIONS_MAX,
    DEPTH_MAX,
    FUTURE_SECONDS_MAX,
    PAST_SECONDS_MAX,
    SEGMENT_BYTES_MAX,
)
from cumulet.services.xray.model import Segment
from cumulet.services.xray.nodes import service_of

TRACE_ID = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}\Z")
_ID = re.compile(r"[0-9a-f]{16}\Z")
Document = Mapping[str, Any]


class BadSegment(Exception):
    """The document is no segment; `code` is AWS's word for why."""

    def __init__(self, code: str, message: str, uid: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.uid = uid


def read_segment(text: str, now: float) -> Segment:
    """The segment of a document. Raises BadSegment."""
    if len(text.encode()) > SEGMENT_BYTES_MAX:
        raise BadSegment("TooLarge", f"A segment has at most {SEGMENT_BYTES_MAX} bytes.")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise BadSegment("ParseError", "Invalid segment. ErrorCode: ParseError") from None
    if not isinstance(document, dict):
        raise BadSegment("ParseError", "Invalid segment. ErrorCode: ParseError")
    return segment_of(document, text, now)


def segment_of(document: Document, text: str, now: float) -> Segment:
    """The segment of a document that was read from `text`. Raises BadSegment."""
    uid = document.get("id")
    if not isinstance(uid, str) or not _ID.match(uid):
        raise BadSegment("MissingId", "Invalid segment. ErrorCode: MissingId")
    trace = document.get("trace_id")
    if not isinstance(trace, str) or not TRACE_ID.match(trace):
        raise BadSegment("MissingTraceId", "Invalid segment. ErrorCode: MissingTraceId", uid)
    if not isinstance(document.get("name"), str) or not document["name"]:
        raise BadSegment("MissingName", "Invalid segment. ErrorCode: MissingName", uid)
    began = number(document.get("start_time"))
    if began is None:
        raise BadSegment("MissingStartTime", "Invalid segment. ErrorCode: MissingStartTime", uid)
    if not now - PAST_SECONDS_MAX <= began <= now + FUTURE_SECONDS_MAX:
        raise BadSegment("InvalidTime", "Invalid segment. ErrorCode: InvalidTime", uid)
    ended = number(document.get("end_time"))
    if ended is None and document.get("in_progress") is not True:
        raise BadSegment("MissingEndTime", "Invalid segment. ErrorCode: MissingEndTime", uid)
    if document.get("type") == "subsegment" and not isinstance(document.get("parent_id"), str):
        raise BadSegment("MissingParentId", "Invalid segment. ErrorCode: MissingParentId", uid)
    return Segment(trace, uid, began, text)


def number(value: Any) -> float | None:
    """A number that is one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e12 else None


class Part(NamedTuple):
    """A segment, or a part of one that calls another service."""

    document: Document
    parent: str
    depth: int

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.document.get("id", ""))

    @property
    def began(self) -> float:
        """When it began, in epoch seconds."""
        return number(self.document.get("start_time")) or 0.0

    @property
    def ended(self) -> float:
        """When it ended, as far as it has."""
        return number(self.document.get("end_time")) or self.began

    def says(self, name: str) -> bool:
        """Whether `fault`, `error` or `throttle` is set."""
        return self.document.get(name) is True


def documents_of(segments: Sequence[Segment]) -> list[Document]:
    """The documents of a trace."""
    return [json.loads(one.document) for one in segments]


def parts_of(documents: Sequence[Document]) -> Iterator[Part]:
    """Every segment and subsegment, each behind what it is a part of.

    A subsegment that was sent by itself is no whole segment: its depth is 1 as well.
    """
    for document in documents:
        depth = 1 if document.get("type") == "subsegment" else 0
        yield from _parts(document, str(document.get("parent_id") or ""), depth)


def _parts(document: Document, parent: str, depth: int) -> Iterator[Part]:
    yield Part(document, parent, depth)
    inner = document.get("subsegments")
    if isinstance(inner, list) and depth < DEPTH_MAX:
        for one in inner:
            if isinstance(one, dict):
                yield from _parts(one, str(document.get("id", "")), depth + 1)


class Summary(NamedTuple):
    """What a trace comes to."""

    began: float
    duration: float
    response: float
    fault: bool
    error: bool
    throttle: bool
    is_partial: bool
    http: Document
    annotations: dict[str, list[tuple[Any, Document]]]
    users: dict[str, list[Document]]
    services: list[Document]
    arns: list[str]
    entry: Document | None


def summarize(documents: Sequence[Document], account: str) -> Summary | None:
    """The summary of a trace, by its segments; None when there are none."""
    parts = list(parts_of(documents))
    if not parts:
        return None
    ids = {part.id for part in parts}
    whole = [part for part in parts if part.depth == 0] or parts
    roots = [part for part in whole if part.parent not in ids]
    first = min(roots or whole, key=lambda part: part.began)
    began = min(part.began for part in whole)
    annotations: dict[str, list[tuple[Any, Document]]] = {}
    users: dict[str, list[Document]] = {}
    services: dict[tuple[str, str], Document] = {}
    for part in parts:
        service = service_of(part.document, account)
        if part.depth == 0 or part.document.get("namespace") in ("aws", "remote"):
            services.setdefault((service["Name"], service["Type"]), service)
        for key, value in _annotations(part.document).items():
            if len(annotations) < ANNOTATIONS_MAX or key in annotations:
                annotations.setdefault(key, []).append((value, service))
        user = part.document.get("user")
        if isinstance(user, str):
            users.setdefault(user, []).append(service)
    return Summary(
        began,
        max(part.ended for part in whole) - began,
        first.ended - first.began,
        any(part.says("fault") for part in whole),
        any(part.says("error") for part in whole),
        any(part.says("throttle") for part in whole),
        any(part.document.get("in_progress") is True for part in whole),
        http_of(first.document),
        annotations,
        users,
        list(services.values()),
        [one["resource_arn"] for one in documents if isinstance(one.get("resource_arn"), str)],
        service_of(first.document, account),
    )


def _annotations(document: Document) -> dict[str, Any]:
    given = document.get("annotations")
    if not isinstance(given, dict):
        return {}
    return {
        key: value for key, value in given.items() if isinstance(value, str | int | float | bool)
    }


def http_of(document: Document) -> dict[str, Any]:
    """What a segment says of its request, in AWS's spelling."""
    http = document.get("http")
    request = http.get("request") if isinstance(http, dict) else None
    response = http.get("response") if isinstance(http, dict) else None
    told: dict[str, Any] = {}
    if isinstance(request, dict):
        for key, name in (
            ("url", "HttpURL"),
            ("method", "HttpMethod"),
            ("user_agent", "UserAgent"),
            ("client_ip", "ClientIp"),
        ):
            if isinstance(request.get(key), str):
                told[name] = request[key]
    if isinstance(response, dict) and isinstance(response.get("status"), int):
        told["HttpStatus"] = response["status"]
    return told
