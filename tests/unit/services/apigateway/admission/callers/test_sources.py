"""Identity sources: which there are, and what they find in a request."""

from __future__ import annotations

import pytest

from cumulet.core.http import Headers
from cumulet.services.apigateway.admission.callers.sources import (
    Asked,
    Source,
    identity_of,
    parse_sources,
)

ASKED = Asked(
    Headers([("Auth", "one"), ("AUTH", "two"), ("Empty", "")]),
    lambda: [("q", "1"), ("q", "2"), ("blank", "")],
    {"v": "stage"},
    lambda: {"httpMethod": "GET", "identity": {"sourceIp": "10.0.0.1", "user": None}},
)


def test_sources_are_read() -> None:
    text = "method.request.header.X-Auth, method.request.querystring.Q,stageVariables.v,"
    assert parse_sources(text + "context.identity.sourceIp") == (
        Source("header", "x-auth"),
        Source("querystring", "Q"),
        Source("stageVariables", "v"),
        Source("context", "identity.sourceIp"),
    )
    assert parse_sources("") == ()


@pytest.mark.parametrize(
    "text", ["Auth", "method.request.path.x", "method.request.header.", "header.x", "context."]
)
def test_what_is_no_source_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text.replace(".", r"\.")):
        parse_sources(text)


def test_sources_are_bounded() -> None:
    with pytest.raises(ValueError, match="h20"):
        parse_sources(",".join(f"method.request.header.h{n}" for n in range(21)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("method.request.header.auth", ("one,two",)),
        ("method.request.querystring.q", ("1,2",)),
        ("stageVariables.v,context.httpMethod", ("stage", "GET")),
        ("context.identity.sourceIp", ("10.0.0.1",)),
        ("context.identity.user", None),
        ("context.identity.sourceIp.more", None),
        ("method.request.header.empty", None),
        ("method.request.querystring.blank", None),
        ("method.request.header.auth,stageVariables.none", None),
        ("", ()),
    ],
)
def test_an_identity_is_all_sources_or_nothing(text: str, found: tuple[str, ...] | None) -> None:
    assert identity_of(parse_sources(text), ASKED) == found
