"""The token, revocation and userInfo endpoints.

https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html
https://docs.aws.amazon.com/cognito/latest/developerguide/userinfo-endpoint.html
https://docs.aws.amazon.com/cognito/latest/developerguide/revocation-endpoint.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from cumulet.core.clock import new_uuid
from cumulet.core.errors import AwsError
from cumulet.core.http import Response
from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.flow import issue
from cumulet.services.cognito.flow.place import Place, by_client, client_secret
from cumulet.services.cognito.hosted.asking import Asked, json_answer
from cumulet.services.cognito.model import OAuthCode, SignIn
from cumulet.services.cognito.operations.auth import revoke
from cumulet.services.cognito.rules.claims import shown_attributes
from cumulet.services.cognito.rules.clients import BUILT_IN_SCOPES, lifetimes
from cumulet.services.cognito.signing.identities import PoolTokens
from cumulet.services.cognito.signing.keys import encode_segment
from cumulet.services.cognito.signing.tokens import write_token


class Fault(Exception):
    """An error of OAuth 2.0, by its name."""

    def __init__(self, error: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.status = status


async def token(asked: Asked) -> Response:
    """Exchange a code, a refresh token or a client's secret for tokens."""
    try:
        form = asked.form
        place = await _client(asked)
        kind = form.get("grant_type", "")
        if kind == "authorization_code":
            return json_answer(200, await _for_code(place, form))
        if kind == "refresh_token":
            return json_answer(200, await _for_refresh(place, form))
        if kind == "client_credentials":
            return json_answer(200, await _for_client(place, form))
        raise Fault("unsupported_grant_type" if kind else "invalid_request")
    except Fault as fault:
        return json_answer(fault.status, {"error": fault.error})


async def _client(asked: Asked) -> Place:
    """The client that proves itself by header or form; one without a secret by its id alone."""
    id, secret = asked.form.get("client_id", ""), asked.form.get("client_secret", "")
    kind, _, given = asked.request.headers.get("authorization").partition(" ")
    if kind.lower() == "basic":
        try:
            text = base64.b64decode(given, validate=True).decode()
        except (binascii.Error, UnicodeError) as cause:
            raise Fault("invalid_client") from cause
        name, _, password = text.partition(":")
        header_id, secret = unquote_plus(name), unquote_plus(password)
        if id not in ("", header_id):
            raise Fault("invalid_client")
        id = header_id
    if not id:
        raise Fault("invalid_request")
    try:
        place = await by_client(asked.ctx, id)
    except AwsError as cause:
        raise Fault("invalid_client") from cause
    if place.pool.id != asked.domain.pool:
        raise Fault("invalid_client")
    if not hmac.compare_digest(client_secret(place).encode(), secret.encode()):
        raise Fault("invalid_client")
    if not place.through.settings["AllowedOAuthFlowsUserPoolClient"]:
        raise Fault("unauthorized_client")
    return place


async def _for_code(place: Place, form: Mapping[str, str]) -> dict[str, Any]:
    if "code" not in place.through.settings.get("AllowedOAuthFlows", []):
        raise Fault("unauthorized_client")
    text = form.get("code", "")
    code = await place.ctx.transact(_take, place.pool.id, issue.digest_of(text))
    if code is None or code.client != place.client_id:
        raise Fault("invalid_grant")
    if code.expires_at <= place.ctx.clock.now() or form.get("redirect_uri") != code.redirect:
        raise Fault("invalid_grant")
    verifier = form.get("code_verifier", "")
    if code.challenge:
        found = encode_segment(hashlib.sha256(verifier.encode()).digest())
        if not hmac.compare_digest(found.encode(), code.challenge.encode()):
            raise Fault("invalid_grant")
    elif verifier:
        raise Fault("invalid_grant")
    user = await place.ctx.transact(issue.load_by_key, place.pool.id, code.user)
    if user is None or not user.enabled:
        raise Fault("invalid_grant")
    wanted = issue.Wanted(code.scopes, code.nonce, "HostedAuth", auth_time=code.auth_time)
    try:
        return _shown(await issue.issue(place, user, wanted), code.scopes)
    except AwsError as error:
        raise Fault("invalid_request") from error


async def _take(tx: Transaction, scope: Scope, pool: str, digest: bytes) -> OAuthCode | None:
    return await store.OAUTH_CODES.drop(tx, scope, pool, digest)


def _shown(tokens: Mapping[str, Any], scopes: tuple[str, ...]) -> dict[str, Any]:
    found = {"access_token": tokens["AccessToken"]}
    if "openid" in scopes and "IdToken" in tokens:
        found["id_token"] = tokens["IdToken"]
    if "RefreshToken" in tokens:
        found["refresh_token"] = tokens["RefreshToken"]
    return {**found, "token_type": "Bearer", "expires_in": tokens["ExpiresIn"]}


async def _for_refresh(place: Place, form: Mapping[str, str]) -> dict[str, Any]:
    text = form.get("refresh_token", "")
    if not text:
        raise Fault("invalid_request")
    try:
        tokens = await issue.refreshed(place, text, rotates=True)
    except AwsError as error:
        raise Fault("invalid_grant") from error
    sign_in = await place.ctx.transact(issue.find_sign_in, place.pool.id, issue.digest_of(text))
    return _shown(tokens, sign_in.scopes if sign_in is not None else ())


async def _for_client(place: Place, form: Mapping[str, str]) -> dict[str, Any]:
    settings = place.through.settings
    if "client_credentials" not in settings.get("AllowedOAuthFlows", []):
        raise Fault("unauthorized_client")
    allowed = [s for s in settings.get("AllowedOAuthScopes", []) if s not in BUILT_IN_SCOPES]
    scopes = form.get("scope", "").split() or allowed
    if not scopes or not set(scopes) <= set(allowed):
        raise Fault("invalid_scope")
    clock, life = place.ctx.clock, lifetimes(settings)[0]
    now = int(clock.now())
    ring = await place.ctx.need(PoolTokens).ring(place.pool.id)
    claims = {
        "sub": place.client_id,
        "token_use": "access",
        "scope": " ".join(scopes),
        "auth_time": now,
        "iss": place.pool.issuer,
        "exp": now + life,
        "iat": now,
        "version": 2,
        "jti": new_uuid(clock),
        "client_id": place.client_id,
    }
    return {
        "access_token": write_token(ring, claims),
        "token_type": "Bearer",
        "expires_in": life,
    }


async def revocation(asked: Asked) -> Response:
    """End the sign-in of a refresh token."""
    try:
        place = await _client(asked)
        if not asked.form.get("token"):
            raise Fault("invalid_request")
        await revoke(place, asked.form["token"])
    except Fault as fault:
        return json_answer(fault.status, {"error": fault.error})
    except AwsError as error:
        name = "unsupported_token_type" if "TokenType" in error.code else "invalid_request"
        return json_answer(400, {"error": name})
    return Response(200, [("cache-control", "no-store"), ("access-control-allow-origin", "*")])


async def user_info(asked: Asked) -> Response:
    """Who an access token with the scope `openid` is for."""
    kind, _, text = asked.request.headers.get("authorization").partition(" ")
    tokens = asked.ctx.need(PoolTokens)
    claims = await tokens.verify(text.strip()) if kind.lower() == "bearer" else None
    if claims is None or claims.get("token_use") != "access":
        return _no_info("invalid_token", 401)
    scopes = str(claims.get("scope", "")).split()
    if claims["iss"] != _issuer(asked) or "openid" not in scopes:
        return _no_info("invalid_token", 401)
    place = await by_client(asked.ctx, str(claims["client_id"]))
    name = place.pool.folded(str(claims.get("username", "")))
    user = await place.ctx.transact(issue.load_by_key, place.pool.id, name)
    sign_in = await place.ctx.transact(_sign_in, place.pool.id, str(claims.get("event_id")))
    if user is None or not user.enabled or sign_in is None or sign_in.revoked:
        return _no_info("invalid_token", 401)
    shown = shown_attributes(place.through, user, scopes)
    texts = {name: _text(value) for name, value in shown.items()}
    return json_answer(200, {"sub": user.sub, **texts, "username": user.name})


async def _sign_in(tx: Transaction, scope: Scope, pool: str, id: str) -> SignIn | None:
    return await store.SIGN_INS.load(tx, scope, pool, id)


def _issuer(asked: Asked) -> str:
    domain = asked.domain
    return f"https://cognito-idp.{domain.region}.amazonaws.com/{domain.pool}"


def _text(value: Any) -> Any:
    """Booleans are texts here, as AWS answers them."""
    return ("true" if value else "false") if isinstance(value, bool) else value


def _no_info(error: str, status: int) -> Response:
    return json_answer(
        status,
        {"error": error, "error_description": "Access token is expired, disabled, or deleted."},
        ("www-authenticate", f'error="{error}"'),
    )
