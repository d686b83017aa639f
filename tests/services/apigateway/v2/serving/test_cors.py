"""CORS as the gateway does it.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
"""

from __future__ import annotations

import json

import pytest

ORIGIN = "https://example.com"
ASK = {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT"}
RULES = {
    "AllowOrigins": [ORIGIN, "http://*"],
    "AllowMethods": ["GET", "PUT"],
    "AllowHeaders": ["authorization", "x-a"],
    "ExposeHeaders": ["x-b"],
    "MaxAge": 60,
    "AllowCredentials": True,
}


@pytest.fixture
def api(v2, http_api, backend):
    http_api.route("GET /x", http_api.http(backend.url))
    v2.update_api(ApiId=http_api.id, CorsConfiguration=RULES)
    return http_api


def cors_of(answer):
    return {
        name.lower().removeprefix("access-control-"): value
        for name, value in answer.headers.items()
        if name.lower().startswith("access-control-")
    }


def test_a_preflight_request_is_answered_by_the_gateway_alone(api, backend):
    for path in ("/x", "/no-such-route"):
        answer = api.call("OPTIONS", path, headers=ASK)
        assert (answer.status, answer.body) == (204, b"")
        assert "apigw-requestid" in answer.headers
        assert cors_of(answer) == {
            "allow-origin": ORIGIN,
            "allow-methods": "GET,PUT",
            "allow-headers": "authorization,x-a",
            "expose-headers": "x-b",
            "max-age": "60",
            "allow-credentials": "true",
        }
    assert not backend.seen


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        (ORIGIN, True),
        ("http://anything.example:8080", True),
        ("https://other.example", False),
        ("https://example.com.evil.example", False),
        ("null", False),
    ],
)
def test_only_origins_of_the_configuration_are_allowed(api, origin, is_allowed):
    preflight = api.call("OPTIONS", "/x", headers={**ASK, "Origin": origin})
    assert preflight.status == 204
    plain = api.call("GET", "/x", headers={"Origin": origin})
    assert plain.status == 200
    for answer in (preflight, plain):
        assert cors_of(answer).get("allow-origin") == (origin if is_allowed else None)


def test_answers_and_refusals_carry_the_headers(api):
    answer = api.call("GET", "/x", headers={"Origin": ORIGIN})
    assert cors_of(answer) == {
        "allow-origin": ORIGIN,
        "allow-credentials": "true",
        "expose-headers": "x-b",
    }
    lost = api.call("GET", "/nothing", headers={"Origin": ORIGIN})
    assert (lost.status, cors_of(lost)["allow-origin"]) == (404, ORIGIN)
    assert cors_of(api.call("GET", "/x")) == {}


def test_the_backends_own_headers_are_ignored(v2, http_api, function):
    http_api.route("GET /f", http_api.function(function))
    said = {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "https://backend"}}
    ask = {"Origin": ORIGIN, "x-answer": json.dumps(said)}
    assert cors_of(http_api.call("GET", "/f", headers=ask)) == {"allow-origin": "https://backend"}
    v2.update_api(ApiId=http_api.id, CorsConfiguration={"AllowOrigins": ["*"]})
    assert cors_of(http_api.call("GET", "/f", headers=ask)) == {"allow-origin": "*"}


def test_other_options_requests_are_like_any_other(api):
    assert api.call("OPTIONS", "/x").status == 404
    assert api.call("OPTIONS", "/x", headers={"Origin": ORIGIN}).status == 404


def test_without_a_configuration_nothing_is_answered_for_the_backend(v2, api):
    v2.delete_cors_configuration(ApiId=api.id)
    assert api.call("OPTIONS", "/x", headers=ASK).status == 404
    assert cors_of(api.call("GET", "/x", headers={"Origin": ORIGIN})) == {}
