"""The daemon: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from cumulet.core.identity import Scope
from cumulet.services.lambda_.running.tracing.daemon import Daemon, Strays

HERE = Scope("111111111111", "eu-central-1")
HEADER = b'{"format": "json", "version": 1}\n'


class Kept:
    def __init__(self) -> None:
        self.documents: list[tuple[Scope, Mapping[str, Any]]] = []

    def put(self, scope: Scope, document: Mapping[str, Any]) -> None:
        self.documents.append((scope, document))


def taken(data: bytes, *, is_allowed: bool = True) -> list[tuple[Scope, Mapping[str, Any]]]:
    kept = Kept()
    Daemon(kept, HERE, is_allowed).take(data)  # type: ignore[arg-type]  # Only `put` is asked for.
    return kept.documents


def test_a_segment_goes_to_the_functions_own_account() -> None:
    assert taken(HEADER + b'{"id": "a"}') == [(HERE, {"id": "a"})]


def test_it_needs_the_roles_permission() -> None:
    assert taken(HEADER + b'{"id": "a"}', is_allowed=False) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b'{"id": "a"}',
        HEADER,
        HEADER + b"[]",
        HEADER + b'{"id":',
        b'{"format": "json", "version": 2}\n{}',
        b"[" * 300 + b"\n{}",
        HEADER + b"[" * 50_000,
        b"\xff\xfe\n\xff",
    ],
)
def test_what_is_no_segment_is_dropped(data: bytes) -> None:
    assert taken(data) == []


@pytest.mark.parametrize(
    ("more", "count"),
    [
        ({}, 1),
        ({"parent_id": "other"}, 0),
        ({"trace_id": "other"}, 0),
        ({"type": "segment"}, 0),
        ({"parent_id": ["function"]}, 0),
    ],
)
def test_a_stray_counts_below_a_function_that_runs(more: dict[str, Any], count: int) -> None:
    kept, strays = Kept(), Strays()
    daemon = Daemon(kept, HERE, True)  # type: ignore[arg-type]  # Only `put` is asked for.
    strays.expect("trace", "function", daemon)
    document = {"type": "subsegment", "trace_id": "trace", "parent_id": "function", **more}
    strays.take(HEADER + json.dumps(document).encode())
    assert len(kept.documents) == count
