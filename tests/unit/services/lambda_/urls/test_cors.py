"""CORS: https://docs.aws.amazon.com/lambda/latest/api/API_Cors.html"""

from __future__ import annotations

from cumulet.core.http import Headers
from cumulet.services.lambda_.urls.cors import cors_headers, is_preflight, without_cors


def from_origin(origin: str) -> Headers:
    return Headers([("origin", origin), ("access-control-request-method", "GET")])


def test_every_origin_is_a_star_unless_credentials_are_allowed() -> None:
    headers = from_origin("https://a.example")
    open_ = dict(cors_headers({"AllowOrigins": ["*"]}, headers, preflight=False))
    assert open_ == {"access-control-allow-origin": "*"}
    cors = {"AllowOrigins": ["*"], "AllowCredentials": True}
    trusted = dict(cors_headers(cors, headers, preflight=False))
    assert trusted["access-control-allow-origin"] == "https://a.example"
    assert trusted["access-control-allow-credentials"] == "true"
    assert trusted["vary"] == "Origin"


def test_a_wildcard_covers_a_part_of_the_host() -> None:
    cors = {"AllowOrigins": ["https://*.example.com"]}
    assert cors_headers(cors, from_origin("https://a.example.com"), preflight=False)
    assert not cors_headers(cors, from_origin("https://example.com.evil"), preflight=False)
    assert not cors_headers(cors, Headers(), preflight=False)


def test_only_a_preflight_tells_methods_and_headers() -> None:
    cors = {"AllowOrigins": ["*"], "AllowMethods": ["GET"], "AllowHeaders": ["x"], "MaxAge": 0}
    asked = dict(cors_headers(cors, from_origin("https://a"), preflight=True))
    assert asked["access-control-allow-methods"] == "GET"
    assert asked["access-control-max-age"] == "0"
    assert "access-control-allow-methods" not in dict(
        cors_headers(cors, from_origin("https://a"), preflight=False)
    )
    assert is_preflight("OPTIONS", from_origin("https://a"))
    assert not is_preflight("OPTIONS", Headers())
    assert not is_preflight("GET", from_origin("https://a"))


def test_the_functions_own_rules_are_replaced() -> None:
    pairs = [("access-control-allow-origin", "*"), ("x", "y")]
    assert without_cors(pairs) == [("x", "y")]
