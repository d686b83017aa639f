"""X-Ray's header.

https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
"""

from __future__ import annotations

import pytest

from cumulet.core.trace_header import Sampled, decided, decision_of, field_of, names_trace, sampled

ROOT = "1-5759e988-bd862e3fe1be46a994272793"
PARENT = "53995c3f42cd8ad8"


def test_its_fields_are_read_with_or_without_blanks() -> None:
    header = f"Root={ROOT}; Parent={PARENT};Sampled=1"
    assert [field_of(header, name) for name in ("Root", "Parent", "Self")] == [ROOT, PARENT, ""]


@pytest.mark.parametrize(
    ("header", "decision"),
    [
        ("", None),
        (f"Root={ROOT}", None),
        (f"Root={ROOT};Sampled=?", None),
        (f"Root={ROOT};Sampled=1", True),
        (f"Root={ROOT};Parent={PARENT};Sampled=0", False),
    ],
)
def test_a_trace_is_recorded_or_not_or_nobody_has_decided(
    header: str, decision: bool | None
) -> None:
    assert decision_of(header) is decision


def test_a_trace_that_is_recorded_is_told_with_its_caller() -> None:
    assert sampled(f"Root={ROOT};Parent={PARENT};Sampled=1") == Sampled(ROOT, PARENT)
    assert sampled(f"Root={ROOT};Sampled=1;Lineage=a:1") == Sampled(ROOT, "")
    assert sampled(f"Root={ROOT};Parent=x;Sampled=1") == Sampled(ROOT, "")


@pytest.mark.parametrize(
    "header",
    [
        "Sampled=1",
        f"Root={ROOT.upper()};Sampled=1",
        f"Root={ROOT}x;Sampled=1",
        f"Root={ROOT};Sampled=10",
        f"Root={ROOT};Sampled=1;" + "x" * 2_000,
    ],
)
def test_what_is_no_header_names_no_trace_that_is_recorded(header: str) -> None:
    assert sampled(header) is None


def test_a_header_that_is_carried_on_keeps_what_else_it_says() -> None:
    assert decided(f"Root={ROOT}", True) == f"Root={ROOT};Sampled=1"
    assert decided(f"Root={ROOT};Lineage=a:1", False) == f"Root={ROOT};Sampled=0;Lineage=a:1"
    given = f"Root={ROOT};Parent={PARENT};Sampled=0;Lineage=a:1"
    carried = decided(given, True, "a" * 16)
    assert carried == f"Root={ROOT};Parent={'a' * 16};Sampled=1;Lineage=a:1"
    assert decided(given, False) == given


def test_only_a_trace_id_names_a_trace() -> None:
    assert names_trace(f"Root={ROOT}")
    assert not names_trace("Root=1-2-3")
