"""Routing: the most particular resource that has the method, compared with a plain oracle.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html
"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.services.apigateway.pipeline.routing import Router

ROUTES = {
    "/": {"GET": "root"},
    "/pets": {"GET": "pets", "POST": "make"},
    "/pets/new": {"GET": "new"},
    "/pets/{id}": {"GET": "pet", "DELETE": "drop"},
    "/pets/{id}/toys": {"ANY": "toys"},
    "/files/{path+}": {"ANY": "file", "GET": "read"},
    "/{proxy+}": {"ANY": "rest"},
}
ROUTER = Router(ROUTES.items())


@pytest.mark.parametrize(
    ("method", "path", "value", "parameters"),
    [
        ("GET", "/", "root", None),
        ("GET", "/pets", "pets", None),
        ("GET", "/pets/", "pets", None),
        ("GET", "/pets/new", "new", None),
        ("GET", "/pets/42", "pet", {"id": "42"}),
        ("DELETE", "/pets/new", "drop", {"id": "new"}),
        ("PUT", "/pets/42/toys", "toys", {"id": "42"}),
        ("GET", "/files/a/b", "read", {"path": "a/b"}),
        ("PUT", "/files/a//b", "file", {"path": "a//b"}),
        ("PUT", "/pets", "rest", {"proxy": "pets"}),
        ("GET", "/pets/42/none", "rest", {"proxy": "pets/42/none"}),
        ("GET", "/pets/a%2Fb", "pet", {"id": "a%2Fb"}),
        ("GET", "/pets/..%2fx", "pet", {"id": "..%2fx"}),
        ("GET", "/%70ets", "pets", None),
    ],
)
def test_the_most_particular_method_is_found(method, path, value, parameters):
    assert ROUTER.find(method, path) == (value, parameters)


def test_nothing_is_found_for_an_unknown_path_or_method():
    router = Router([("/pets", {"GET": "pets"}), ("/files/{path+}", {"ANY": "file"})])
    assert router.find("GET", "/") is None
    assert router.find("POST", "/pets") is None
    assert router.find("GET", "/files") is None
    assert router.find("TRACE", "/files/a") is None


def oracle(routes, method, path):
    """Every route that fits, the most particular first: part by part, literal, one, greedy."""
    segments = path.rstrip("/").split("/")[1:] if path != "/" else []
    fits = []
    for template, methods in routes.items():
        value = methods.get(method) or methods.get("ANY")
        parts = [part for part in template.split("/") if part]
        ranks = []
        for part, segment in itertools.zip_longest(parts, segments):
            if part is None or segment is None:
                break
            if part.endswith("+}"):
                ranks.append(2)
                fits.append((ranks, value)) if value else None
                break
            if part.startswith("{"):
                ranks.append(1)
            elif part == segment:
                ranks.append(0)
            else:
                break
        else:
            if value:
                fits.append((ranks, value))
    return min(fits)[1] if fits else None


PARTS = st.sampled_from(["a", "b", "{x}"])


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.builds(
            lambda parts, greedy: "/" + "/".join([*parts, *greedy]),
            st.lists(PARTS, max_size=3),
            st.sampled_from([[], ["{g+}"]]),
        ),
        st.dictionaries(st.sampled_from(["GET", "POST", "ANY"]), st.integers(1, 9).map(str)),
        max_size=8,
    ),
    st.sampled_from(["GET", "POST"]),
    st.lists(st.sampled_from(["a", "b", "c"]), max_size=4),
)
def test_it_agrees_with_trying_every_route(routes, method, segments):
    path = "/" + "/".join(segments)
    found = Router(routes.items()).find(method, path)
    assert (found[0] if found else None) == oracle(routes, method, path)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60), st.sampled_from(["GET", "POST", "", "get", "TRACE"]))
def test_no_path_breaks_it(path, method):
    found = ROUTER.find(method, "/" + path)
    assert found is None or isinstance(found[0], str)
