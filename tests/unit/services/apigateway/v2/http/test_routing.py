"""The router against a slow reading of the same rules."""

from __future__ import annotations

from urllib.parse import unquote

from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.services.apigateway.v2.http.prepared.routing import Router, segments_of

PARTS = st.sampled_from(["a", "b", "c", "{x}", "{y}"])
METHODS = st.sampled_from(["GET", "POST", "ANY"])


@st.composite
def keys(draw: st.DrawFn) -> list[str]:
    found = []
    for _ in range(draw(st.integers(1, 8))):
        parts = draw(st.lists(PARTS, max_size=3))
        parts += draw(st.sampled_from([[], ["{rest+}"]]))
        found.append(f"{draw(METHODS)} /{'/'.join(parts)}")
    found += draw(st.sampled_from([[], ["$default"]]))
    return sorted(set(found))


def rank(part: str) -> int:
    """A literal goes before a variable, which goes before a greedy one."""
    return 2 if part.endswith("+}") else int(part.startswith("{"))


def fits(parts: list[str], segments: list[str]) -> bool:
    if parts and parts[-1].endswith("+}"):
        rest = segments[len(parts) - 1 :]
        if not rest or not "/".join(rest):
            return False
        segments, parts = segments[: len(parts) - 1], parts[:-1]
    return len(parts) == len(segments) and all(
        part in (one, unquote(one)) or (part.startswith("{") and one)
        for part, one in zip(parts, segments, strict=True)
    )


def expected(routes: list[str], method: str, path: str) -> tuple[int, ...] | None:
    """How particular the best route is: its ranks, in order; () also for the root."""
    segments = segments_of(path)
    found = [
        tuple(rank(part) for part in segments_of(key.partition(" ")[2]))
        for key in routes
        if key != "$default"
        and key.partition(" ")[0] in (method, "ANY")
        and fits(segments_of(key.partition(" ")[2]), segments)
    ]
    return min(found) if found else None


@settings(max_examples=200, deadline=None)
@given(keys(), METHODS, st.lists(st.sampled_from(["a", "b", "%61", "z", ""]), max_size=4))
def test_the_most_particular_route_is_found(routes, method, segments):
    path = "/" + "/".join(segments)
    found = Router((key, key) for key in routes).find(method, path)
    best = expected(routes, method, path)
    if best is None:
        assert found == (("$default", {}) if "$default" in routes else None)
        return
    assert found is not None
    key, variables = found
    parts = segments_of(key.partition(" ")[2])
    assert tuple(rank(part) for part in parts) == best
    assert fits(parts, segments_of(path))
    names = [part.strip("{}+") for part in parts if part.startswith("{")]
    assert set(variables) == set(names)


def test_variables_of_each_method_have_their_own_names():
    router = Router((key, key) for key in ("GET /a/{x}", "POST /a/{y}/{z}", "GET /{p+}"))
    assert router.find("GET", "/a/1%2F2") == ("GET /a/{x}", {"x": "1/2"})
    assert router.find("POST", "/a/1/2") == ("POST /a/{y}/{z}", {"y": "1", "z": "2"})
    assert router.find("GET", "/a/1/2") == ("GET /{p+}", {"p": "a/1/2"})
    assert router.find("PUT", "/a/1") is None


def test_the_method_itself_goes_before_any():
    router = Router((key, key) for key in ("ANY /a", "GET /a"))
    assert router.find("GET", "/a") == ("GET /a", {})
    assert router.find("PUT", "/a") == ("ANY /a", {})
