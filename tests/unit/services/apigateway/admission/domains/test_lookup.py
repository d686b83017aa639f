"""Base paths and hosts: the longest base path wins, by whole segments.

https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.core.http import Headers, Request
from cumulet.services.apigateway.admission.domains.lookup import Domain, Target, host_name
from cumulet.services.apigateway.admission.domains.model import ApiMapping, DomainRoute


def domain(*keys: str, stage: str | None = "prod", mutual_tls: bool = False) -> Domain:
    mappings = tuple(
        ApiMapping(
            domain="d.example.com",
            key=key,
            id=key,
            api_id=f"api-{key}",
            protocol="REST",
            stage=stage,
        )
        for key in keys
    )
    return Domain(
        DomainRoute(
            name="d.example.com",
            account="1",
            region="r",
            revision="v",
            mutual_tls=mutual_tls,
            mappings=mappings,
        )
    )


@pytest.mark.parametrize(
    ("path", "key", "rest"),
    [
        ("/a", "a", ""),
        ("/a/", "a", "/"),
        ("/a/x", "a", "/x"),
        ("/a/b", "a/b", ""),
        ("/a/b/c/d", "a/b/c", "/d"),
        ("/a/bc", "a", "/bc"),
        ("/", "", "/"),
        ("", "", ""),
        ("/other/a", "", "/other/a"),
        ("//a", "", "//a"),
        ("/A", "", "/A"),
        ("/%61", "", "/%61"),
    ],
)
def test_the_longest_base_path_wins_by_whole_segments(path, key, rest):
    found = domain("", "a", "a/b", "a/b/c").target(path)
    assert found == Target(f"api-{key}", "prod", "REST", key, rest)


def test_without_the_empty_base_path_other_paths_lead_nowhere():
    one = domain("a")
    assert one.target("/b") is None
    assert one.target("*") is None
    assert domain().target("/") is None


def test_without_a_stage_the_path_names_it():
    one = domain("a", "", stage=None)
    assert one.target("/a/pr%6fd/x") == Target("api-a", "prod", "REST", "a", "/x")
    assert one.target("/a") == Target("api-a", "", "REST", "a", "")
    assert one.target("/live/x") == Target("api-", "live", "REST", "", "/x")


segments = st.sampled_from(["a", "b", "c", ""])


@given(
    keys=st.sets(st.lists(st.sampled_from("abc"), max_size=3).map("/".join), max_size=6),
    path=st.lists(segments, max_size=5).map(lambda parts: "/" + "/".join(parts)),
)
def test_a_target_is_the_longest_key_that_the_path_begins_with(keys, path):
    found = domain(*keys).target(path)
    fitting = [key for key in keys if not key or (path + "/").startswith(f"/{key}/")]
    if not fitting:
        assert found is None
    else:
        assert found is not None
        assert found.key == max(fitting, key=len)
        assert (f"/{found.key}" if found.key else "") + found.path == path


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("api.example.com", "api.example.com"),
        ("API.example.com:443", "api.example.com"),
        ("api.example.com.", "api.example.com"),
        ("api.example.com.:8443", "api.example.com"),
        ("[::1]:80", "[::1]"),
        ("[::1]", "[::1]"),
        ("", ""),
    ],
)
def test_a_host_is_its_name_without_the_port(host, name):
    assert host_name(host) == name


def request(tls_domain: str, certificate: bytes | None) -> Request:
    headers = Headers([("Host", "d.example.com")])
    return Request(
        "GET", "/", headers=headers, client_certificate=certificate, tls_domain=tls_domain
    )


def test_mutual_tls_admits_what_came_by_the_domain_s_own_tls_with_a_certificate():
    one = domain("", mutual_tls=True)
    assert one.admits(request("d.example.com", b"der"))
    assert not one.admits(request("d.example.com", None))
    assert not one.admits(request("other.example.com", b"der"))
    assert not one.admits(request("", b"der"))
    assert domain("").admits(request("", None))
