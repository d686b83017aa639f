"""Hosts and paths: which surface answers, and which bucket a host names."""

from __future__ import annotations

import asyncio

import pytest

from cumulet.core.http import Headers, Request
from cumulet.edge.route import Routes, is_own, manages_connections, path_style


def request(host: str, path: str = "/key") -> Request:
    return Request("GET", path, "a=b", Headers([("Host", host)]))


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("bucket.s3.localhost", "/bucket/key"),
        ("bucket.s3.localhost:4566", "/bucket/key"),
        ("bucket.s3.eu-west-1.localhost:4566", "/bucket/key"),
        ("bucket.s3-eu-west-1.localhost", "/bucket/key"),
        ("a.b.s3.localhost", "/a.b/key"),
        ("a.s3.b.s3.localhost", "/a.s3.b/key"),
        ("s3.localhost", "/key"),
        ("s3.eu-west-1.localhost:4566", "/key"),
        ("localhost:4566", "/key"),
        ("bucket.s3x.localhost", "/key"),
        ("api.execute-api.localhost", "/key"),
        ("127.0.0.1:4566", "/key"),
        ("", "/key"),
    ],
)
def test_bucket_of_a_host_becomes_part_of_the_path(host, path):
    given = request(host)
    read = path_style(given)
    assert (read.path, read.query, read.headers) == (path, "a=b", given.headers)
    assert given.path == "/key"


class Named:
    def __init__(self, name: str, host: str) -> None:
        self.name, self.host = name, host

    def match(self, request: Request) -> bool:
        return self.host in request.host


class Claiming(Named):
    async def claims(self, platform: object, request: Request) -> bool:
        return request.host == "api.example.com"


def test_first_surface_that_matches_answers():
    one, two = Named("one", "a."), Named("two", "localhost")
    routes = Routes([one, two])

    async def work():
        assert await routes.find(None, request("a.localhost")) is one
        assert await routes.find(None, request("b.localhost")) is two
        assert await routes.find(None, request("elsewhere")) is None

    asyncio.run(work())


def test_host_names_of_users_go_before_what_others_match():
    first, owner = Named("first", "example.com"), Claiming("owner", "nowhere")
    routes = Routes([first, owner])

    async def work():
        assert await routes.find(None, request("api.example.com")) is owner
        assert await routes.find(None, request("www.example.com")) is first

    asyncio.run(work())


@pytest.mark.parametrize(
    ("host", "is_own_one"),
    [
        ("localhost", True),
        ("localhost:4566", True),
        ("127.0.0.1:80", True),
        ("[::1]:4566", True),
        ("", False),
        ("api.example.com", False),
        ("localhost.example.com", False),
        ("a.localhost", False),
    ],
)
def test_a_name_of_this_machine_is_no_users_domain(host, is_own_one):
    assert is_own(host) is is_own_one


def test_only_names_of_this_machine_pass_by_those_who_claim_hosts():
    class Counting(Named):
        asked = 0

        async def claims(self, platform, request):
            self.asked += 1
            return request.host == "api.example.com"

    named = Counting("named", "never.")
    routes = Routes([named])
    for host, found in [("localhost:1", None), ("localhost:1", None), ("api.example.com", named)]:
        assert asyncio.run(routes.find(None, request(host, "/"))) is found
    assert named.asked == 1


def test_a_front_at_the_root_of_this_machine_is_always_found():
    page = Named("page", "localhost")
    routes = Routes([page])
    for _ in range(2):
        assert asyncio.run(routes.find(None, request("localhost:1", "/"))) is page


SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/{}/aws4_request, SignedHeaders=host"


@pytest.mark.parametrize(
    ("path", "service", "read"),
    [
        ("/@connections/a%3D", "execute-api", "/@connections/a%3D"),
        ("/prod/@connections/a=", "execute-api", "/@connections/a="),
        ("/_aws/execute-api/abc/prod/@connections/a", "execute-api", "/@connections/a"),
        ("/bucket/@connections/key", "s3", "/bucket/@connections/key"),
        ("/prod/@connections", "execute-api", "/prod/@connections"),
    ],
)
def test_what_stands_before_connections_is_left_out(path: str, service: str, read: str):
    headers = Headers([("Host", "localhost"), ("Authorization", SIGNED.format(service))])
    given = Request("POST", path, "", headers)
    assert path_style(given).path == read
    assert manages_connections(given) is (service == "execute-api" and path != "/prod/@connections")
    assert not manages_connections(Request("POST", path, "", Headers([("Host", "localhost")])))
