"""The settings of app clients: flows, lifetimes, attributes, OAuth. Pure.

https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from cumulet.services.cognito.errors import (
    InvalidOAuthFlowException,
    InvalidParameterException,
    ScopeDoesNotExistException,
)
from cumulet.services.cognito.limits import (
    REFRESH_DAYS_DEFAULT,
    REFRESH_SECONDS_MAX,
    REFRESH_SECONDS_MIN,
    TOKEN_SECONDS_DEFAULT,
    TOKEN_SECONDS_MAX,
    TOKEN_SECONDS_MIN,
)
from cumulet.services.cognito.model import Client
from cumulet.services.cognito.rules.schema import VERIFIED

SETTINGS = (
    *("RefreshTokenValidity", "AccessTokenValidity", "IdTokenValidity", "TokenValidityUnits"),
    *("ReadAttributes", "WriteAttributes", "ExplicitAuthFlows", "SupportedIdentityProviders"),
    *("CallbackURLs", "LogoutURLs", "DefaultRedirectURI", "AllowedOAuthFlows"),
    *("AllowedOAuthScopes", "AllowedOAuthFlowsUserPoolClient", "PreventUserExistenceErrors"),
    *("EnableTokenRevocation", "AuthSessionValidity", "RefreshTokenRotation"),
)
BUILT_IN_SCOPES = frozenset(
    {"phone", "email", "openid", "profile", "aws.cognito.signin.user.admin"}
)
SELF_SERVICE = "aws.cognito.signin.user.admin"
_UNITS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}
_OLD_FLOWS = frozenset({"ADMIN_NO_SRP_AUTH", "CUSTOM_AUTH_FLOW_ONLY", "USER_PASSWORD_AUTH"})
_FLOWS = frozenset(
    {
        *("ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_CUSTOM_AUTH", "ALLOW_USER_PASSWORD_AUTH"),
        *("ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"),
    }
)
_DEFAULT_FLOWS = ("ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_RETRY_SECONDS_MAX = 60


def read_client(
    request: Mapping[str, Any], schema: Mapping[str, Any], scopes: Iterable[str], has_secret: bool
) -> dict[str, Any]:
    """The settings that a request gives, with defaults. Raises what AWS raises."""
    for name in ("AnalyticsConfiguration", "EnablePropagateAdditionalUserContextData"):
        if request.get(name):
            raise InvalidParameterException(f"{name} is not supported here.")
    settings = {name: request[name] for name in SETTINGS if name in request}
    settings.setdefault("RefreshTokenValidity", REFRESH_DAYS_DEFAULT)
    if settings["RefreshTokenValidity"] == 0:
        settings["RefreshTokenValidity"] = REFRESH_DAYS_DEFAULT
    settings.setdefault("ExplicitAuthFlows", list(_DEFAULT_FLOWS))
    settings.setdefault("EnableTokenRevocation", True)
    settings.setdefault("PreventUserExistenceErrors", "LEGACY")
    settings.setdefault("AuthSessionValidity", 3)
    settings.setdefault("AllowedOAuthFlowsUserPoolClient", False)
    _check_flows(settings["ExplicitAuthFlows"])
    _check_lifetimes(settings)
    _check_rotation(settings)
    _check_attributes(settings, schema)
    _check_oauth(settings, frozenset(scopes), has_secret)
    return settings


def _check_flows(flows: Iterable[str]) -> None:
    given = set(flows)
    if "ALLOW_USER_AUTH" in given:
        raise InvalidParameterException("ALLOW_USER_AUTH is not supported here.")
    if odd := given - _FLOWS - _OLD_FLOWS:
        raise InvalidParameterException(f"{sorted(odd)[0]} is not supported here.")
    if given & _FLOWS and given & _OLD_FLOWS:
        raise InvalidParameterException(
            "1 validation error detected: The ExplicitAuthFlows with prefix ALLOW_ cannot be used "
            "together with those without it."
        )


def _check_lifetimes(settings: Mapping[str, Any]) -> None:
    access, identity, refresh = lifetimes(settings)
    for name, seconds in (("Access", access), ("Id", identity)):
        if not TOKEN_SECONDS_MIN <= seconds <= TOKEN_SECONDS_MAX:
            raise InvalidParameterException(
                f"Invalid range for token validity: {name}TokenValidity must be between 5 minutes "
                "and 1 day."
            )
    if not REFRESH_SECONDS_MIN <= refresh <= REFRESH_SECONDS_MAX:
        raise InvalidParameterException(
            "Invalid range for token validity: RefreshTokenValidity must be between 60 minutes "
            "and 3650 days."
        )
    if max(access, identity) > refresh:
        raise InvalidParameterException(
            "Invalid range for token validity: a refresh token must live longer than the others."
        )
    if not 3 <= settings["AuthSessionValidity"] <= 15:
        raise InvalidParameterException("AuthSessionValidity must be between 3 and 15 minutes.")


def _check_rotation(settings: Mapping[str, Any]) -> None:
    rotation = settings.get("RefreshTokenRotation", {})
    if not 0 <= rotation.get("RetryGracePeriodSeconds", 0) <= _RETRY_SECONDS_MAX:
        raise InvalidParameterException("RetryGracePeriodSeconds must be between 0 and 60.")
    if rotation.get("Feature") == "ENABLED" and (
        "ALLOW_REFRESH_TOKEN_AUTH" in settings["ExplicitAuthFlows"]
    ):
        raise InvalidParameterException(
            "Refresh token rotation cannot be enabled together with ALLOW_REFRESH_TOKEN_AUTH."
        )


def _check_attributes(settings: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    for kind in ("ReadAttributes", "WriteAttributes"):
        for name in settings.get(kind, ()):
            fixed = kind == "WriteAttributes" and name in (*VERIFIED, "sub", "identities")
            if name not in schema or fixed:
                raise InvalidParameterException(
                    f"Invalid {kind[:-10].lower()} attributes specified while creating a client"
                )
    if "WriteAttributes" in settings:
        required = {n for n, one in schema.items() if one["Required"] and n != "sub"}
        if required - set(settings["WriteAttributes"]):
            raise InvalidParameterException(
                "Invalid write attributes specified while creating a client"
            )


def _check_oauth(settings: Mapping[str, Any], known: frozenset[str], has_secret: bool) -> None:
    for name in ("CallbackURLs", "LogoutURLs"):
        for url in settings.get(name, ()):
            _check_redirect(url)
    default = settings.get("DefaultRedirectURI")
    if default and default not in settings.get("CallbackURLs", ()):
        raise InvalidParameterException("DefaultRedirectURI must be in the CallbackURLs list.")
    for scope in settings.get("AllowedOAuthScopes", ()):
        if scope not in known | BUILT_IN_SCOPES:
            raise ScopeDoesNotExistException(f"Scope does not exist: {scope}")
    flows = set(settings.get("AllowedOAuthFlows", ()))
    if "client_credentials" in flows:
        if flows != {"client_credentials"}:
            raise InvalidOAuthFlowException(
                "client_credentials flow can not be selected along with code flow or implicit flow."
            )
        if not has_secret:
            raise InvalidOAuthFlowException(
                "client_credentials flow can not be selected if client does not have a client "
                "secret."
            )
        if set(settings.get("AllowedOAuthScopes", ())) & BUILT_IN_SCOPES:
            raise InvalidOAuthFlowException(
                "client_credentials flow can not be selected with the scopes of users."
            )
    providers = settings.get("SupportedIdentityProviders", ())
    if odd := [one for one in providers if one != "COGNITO"]:
        raise InvalidParameterException(
            f"The provider {odd[0]} does not exist for User Pool: only COGNITO is there."
        )


def _check_redirect(url: str) -> None:
    parts = urlsplit(url)
    if not parts.scheme or parts.fragment:
        raise InvalidParameterException(f"{url} cannot be a redirect: it needs a scheme only.")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise InvalidParameterException(f"HTTP is only allowed for localhost: {url}")
    if parts.scheme in ("javascript", "data", "vbscript", "file"):
        raise InvalidParameterException(f"{url} cannot be a redirect.")


def lifetimes(settings: Mapping[str, Any]) -> tuple[int, int, int]:
    """The seconds that access, identity and refresh tokens live."""
    units = settings.get("TokenValidityUnits", {})

    def seconds(name: str, unit: str) -> int:
        given = int(settings.get(f"{name}TokenValidity", 0))
        return given * _UNITS[units.get(f"{name}Token", unit)]

    access = seconds("Access", "hours") or TOKEN_SECONDS_DEFAULT
    identity = seconds("Id", "hours") or TOKEN_SECONDS_DEFAULT
    return access, identity, seconds("Refresh", "days")


def allows(client: Client, flow: str) -> bool:
    """Whether a client may start a flow of InitiateAuth, by the flow's name there."""
    flows = set(client.settings["ExplicitAuthFlows"])
    if "CUSTOM_AUTH_FLOW_ONLY" in flows:
        return flow in ("CUSTOM_AUTH", "REFRESH_TOKEN_AUTH")
    if flows & _OLD_FLOWS or not flows:
        # Before the flows with ALLOW_, SRP, custom and refreshing needed no permission.
        return flow in {"USER_SRP_AUTH", "CUSTOM_AUTH", "REFRESH_TOKEN_AUTH"} or (
            {"ADMIN_USER_PASSWORD_AUTH": "ADMIN_NO_SRP_AUTH"}.get(flow, flow) in flows
        )
    return f"ALLOW_{flow}" in flows


def may_write(client: Client, name: str) -> bool:
    """Whether a client may set the attribute."""
    if name in VERIFIED or name.startswith("dev:"):
        return False
    listed = client.settings.get("WriteAttributes")
    return listed is None or name in listed


def may_read(client: Client, name: str) -> bool:
    """Whether a client is shown the attribute, in tokens too."""
    if name == "sub":
        return True
    if name.startswith("dev:"):
        return False
    listed = client.settings.get("ReadAttributes")
    return listed is None or name in listed


def client_view(client: Client, secret: str) -> dict[str, Any]:
    """A client as DescribeUserPoolClient shows it."""
    return {
        **client.settings,
        "UserPoolId": client.pool,
        "ClientName": client.name,
        "ClientId": client.id,
        **({"ClientSecret": secret} if secret else {}),
        "CreationDate": client.created,
        "LastModifiedDate": client.modified,
    }
