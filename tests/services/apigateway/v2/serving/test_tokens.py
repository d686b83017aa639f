"""JWT authorizers, with an issuer on this machine.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-jwt.html
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

RSA_KEY = rsa.generate_private_key(65537, 2048)
OTHER_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8))


def rsa_jwk(key: rsa.RSAPrivateKey, key_id: str) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    shown = {"kty": "RSA", "kid": key_id, "use": "sig"}
    return {**shown, "n": number(numbers.n), "e": number(numbers.e)}


def ec_jwk() -> dict[str, str]:
    point = EC_KEY.public_key().public_numbers()
    x, y = (b64(part.to_bytes(32)) for part in (point.x, point.y))
    return {"kty": "EC", "crv": "P-256", "kid": "e", "x": x, "y": y}


class Issuer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.keys: list[dict[str, str]] = [rsa_jwk(RSA_KEY, "r"), ec_jwk()]
        self.asked: list[str] = []
        self.told = self.url


class _Handler(BaseHTTPRequestHandler):
    server: Issuer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        documents: dict[str, Any] = {
            "/.well-known/openid-configuration": {
                "issuer": self.server.told,
                "jwks_uri": self.server.url + "/keys",
            },
            "/keys": {"keys": self.server.keys},
        }
        content = json.dumps(documents.get(self.path, {})).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    server = Issuer()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def token(issuer: Issuer, header: dict[str, Any] | None = None, key: Any = None, **claims: Any):
    now = int(time.time())
    said = {
        "iss": issuer.url,
        "aud": "me",
        "sub": "somebody",
        "iat": now - 5,
        "exp": now + 60,
        **claims,
    }
    said = {name: value for name, value in said.items() if value is not None}
    head = {"alg": "RS256", "kid": "r", "typ": "JWT", **(header or {})}
    parts = [b64(json.dumps(part).encode()) for part in (head, said)]
    signed = ".".join(parts).encode()
    if head["alg"] == "ES256":
        r, s = decode_dss_signature(EC_KEY.sign(signed, ec.ECDSA(SHA256())))
        signature = r.to_bytes(32) + s.to_bytes(32)
    else:
        signature = (key or RSA_KEY).sign(signed, padding.PKCS1v15(), SHA256())
    return ".".join((*parts, b64(signature)))


@pytest.fixture
def api(v2, http_api, function, issuer):
    authorizer = v2.create_authorizer(
        ApiId=http_api.id,
        Name="jwt",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Audience": ["me", "also-me"], "Issuer": issuer.url},
    )["AuthorizerId"]
    backend = http_api.function(function)
    behind = {"AuthorizationType": "JWT", "AuthorizerId": authorizer}
    http_api.route("GET /any", backend, **behind)
    http_api.route("GET /scoped", backend, AuthorizationScopes=["read", "write"], **behind)
    return http_api


def ask(api, text, path="/any"):
    return api.call("GET", path, headers={"Authorization": text})


def test_a_good_token_lets_in_and_its_claims_go_to_the_function(api, issuer):
    text = token(issuer, scope="read profile", nested=["a", "b"], flag=True, amount=1.5)
    for given in (text, f"Bearer {text}", f"bearer {text}"):
        answer = ask(api, given)
        assert answer.status == 200
    told = answer.json["requestContext"]["authorizer"]["jwt"]
    claims = told["claims"]
    assert claims["iss"] == issuer.url
    assert (claims["sub"], claims["aud"]) == ("somebody", "me")
    assert (claims["nested"], claims["flag"], claims["amount"]) == ("[a b]", "true", "1.5")
    assert claims["exp"].isdigit()
    assert told["scopes"] is None


def test_tokens_of_elliptic_curves_let_in(api, issuer):
    assert ask(api, token(issuer, {"alg": "ES256", "kid": "e"})).status == 200


def test_one_of_the_scopes_is_enough(api, issuer):
    answer = ask(api, token(issuer, scope="write other"), "/scoped")
    assert answer.status == 200
    assert answer.json["requestContext"]["authorizer"]["jwt"]["scopes"] == ["write", "other"]
    assert ask(api, token(issuer, scp=["read"]), "/scoped").status == 200
    refusal = ask(api, token(issuer, scope="other"), "/scoped")
    assert (refusal.status, refusal.body) == (403, b'{"message":"Forbidden"}')
    assert refusal.headers["www-authenticate"] == (
        'Bearer scope="read write" error="insufficient_scope" '
        'error_description="the token does not have the required scopes"'
    )


def test_without_a_token_the_caller_is_asked_for_one(api):
    for headers in ({}, {"Authorization": "Bearer "}):
        answer = api.call("GET", "/any", headers=headers)
        assert (answer.status, answer.body) == (401, b'{"message":"Unauthorized"}')
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        # The first sentence is AWS's own example.
        ({"aud": "other"}, "the token does not have a valid audience"),
        ({"aud": ["a", "b"]}, "the token does not have a valid audience"),
        ({"aud": "other", "client_id": "me"}, "the token does not have a valid audience"),
        ({"aud": None}, "the token does not have a valid audience"),
        ({"iss": "https://other.example"}, "the token does not have a valid issuer"),
        ({"exp": -60}, "the token has expired"),
        ({"exp": None}, "the token has expired"),
        ({"exp": "soon"}, "the token's exp is no time"),
        ({"nbf": 600}, "the token is not valid yet"),
        ({"iat": 600}, "the token was issued in the future"),
    ],
    ids=str,
)
def test_claims_that_do_not_fit_let_nobody_in(api, issuer, claims, told):
    """Times are in seconds from now."""
    now = int(time.time())
    said = {name: now + one if isinstance(one, int) else one for name, one in claims.items()}
    answer = ask(api, token(issuer, **said))
    assert (answer.status, answer.body) == (401, b'{"message":"Unauthorized"}')
    assert answer.headers["www-authenticate"] == (
        f'Bearer scope="" error="invalid_token" error_description="{told}"'
    )


@pytest.mark.parametrize("claims", [{"aud": ["x", "me"]}, {"aud": None, "client_id": "also-me"}])
def test_one_audience_is_enough(api, issuer, claims):
    assert ask(api, token(issuer, **claims)).status == 200


def forged(issuer: Issuer) -> dict[str, str]:
    good = token(issuer)
    head, body, signature = good.split(".")
    none = b64(b'{"alg":"none"}')
    # The public key taken for a shared secret is the classic confusion of algorithms.
    shared = b64(b'{"alg":"HS256","kid":"r"}')
    other = json.dumps({"iss": issuer.url, "aud": "me", "exp": 9e9}).encode()
    return {
        "not signed": f"{head}.{body}.",
        "signed by another key": token(issuer, key=OTHER_KEY),
        "alg none": f"{none}.{body}.",
        "alg none with a signature": f"{none}.{body}.{signature}",
        "alg of a shared secret": f"{shared}.{body}.{signature}",
        "other claims": f"{head}.{b64(other)}.{signature}",
        "another type of key": token(issuer, {"kid": "e"}),
        "an unknown key": token(issuer, {"kid": "nothing"}),
        "extensions": token(issuer, {"crit": ["x"]}),
        "two parts": f"{head}.{body}",
        "nothing like it": "hello",
        "padding": f"{head}.{body}.{signature}=",
        "too long": good + "a" * 9_000,
    }


def test_forged_tokens_let_nobody_in(api, issuer):
    for name, text in forged(issuer).items():
        answer = ask(api, text)
        assert answer.status in (401, 431), name
        if answer.status == 401:
            assert 'error="invalid_token"' in answer.headers["www-authenticate"], name


def test_keys_are_fetched_once_and_rarely_for_unknown_ones(api, issuer):
    for _ in range(3):
        assert ask(api, token(issuer)).status == 200
    assert issuer.asked == ["/.well-known/openid-configuration", "/keys"]
    for _ in range(3):
        assert ask(api, token(issuer, {"kid": "nothing"})).status == 401
    assert len(issuer.asked) == 2


@pytest.mark.parametrize("broken", ["another issuer", "nobody there"])
def test_an_issuer_that_cannot_be_asked_lets_nobody_in(api, issuer, broken):
    if broken == "nobody there":
        issuer.shutdown()
        issuer.server_close()
    issuer.told = "https://other.example"
    answer = ask(api, token(issuer))
    assert answer.status == 401
    told = "OIDC discovery endpoint communication error"
    assert f'error_description="{told}"' in answer.headers["www-authenticate"]


def test_a_token_can_come_in_the_query(v2, http_api, function, issuer):
    authorizer = v2.create_authorizer(
        ApiId=http_api.id,
        Name="jwt",
        AuthorizerType="JWT",
        IdentitySource=["$request.querystring.t"],
        JwtConfiguration={"Audience": ["me"], "Issuer": issuer.url},
    )["AuthorizerId"]
    backend = http_api.function(function)
    http_api.route("GET /x", backend, AuthorizationType="JWT", AuthorizerId=authorizer)
    assert http_api.call("GET", f"/x?t={token(issuer)}").status == 200
    assert ask(http_api, token(issuer), "/x").status == 401
