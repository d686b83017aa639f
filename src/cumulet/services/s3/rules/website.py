"""Websites of buckets: what a configuration may be, and where a request is sent. Pure.

Follows https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteHosting.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from cumulet.services.s3.errors import InvalidArgument, InvalidRequest, malformed_xml
from cumulet.services.s3.limits import ROUTING_RULES_MAX

Request = dict[str, Any]

_REDIRECTS = range(301, 400)
_ERRORS = range(400, 600)


def check_website(website: Mapping[str, Any]) -> None:
    """Raise MalformedXML, InvalidArgument or InvalidRequest when S3 would not take it."""
    everything = website.get("RedirectAllRequestsTo")
    others = [
        name
        for name in ("IndexDocument", "ErrorDocument", "RoutingRules")
        if website.get(name) is not None
    ]
    if everything is not None:
        if others or not everything.get("HostName"):
            raise malformed_xml()
        _check_protocol(everything)
        return
    suffix = (website.get("IndexDocument") or {}).get("Suffix")
    if not suffix or "/" in suffix:
        raise InvalidArgument(
            "The IndexDocument Suffix is not well formed",
            ArgumentName="IndexDocument",
            ArgumentValue=suffix or "null",
        )
    if website.get("ErrorDocument") is not None and not website["ErrorDocument"].get("Key"):
        raise malformed_xml()
    rules = website.get("RoutingRules") or []
    if len(rules) > ROUTING_RULES_MAX:
        raise InvalidRequest(
            f"{len(rules)} routing rules provided, the number of routing rules in a website "
            f"configuration is limited to {ROUTING_RULES_MAX}."
        )
    for rule in rules:
        _check_rule(rule)


def _check_rule(rule: Mapping[str, Any]) -> None:
    redirect = rule.get("Redirect")
    if not redirect:
        raise malformed_xml()
    if redirect.get("ReplaceKeyWith") is not None and redirect.get("ReplaceKeyPrefixWith") is not (
        None
    ):
        raise InvalidRequest("You can only define ReplaceKeyPrefix or ReplaceKey but not both.")
    _check_protocol(redirect)
    code = redirect.get("HttpRedirectCode")
    if code is not None and not (code.isdigit() and int(code) in _REDIRECTS):
        raise InvalidRequest(
            f"The provided HTTP redirect code ({code}) is not valid. Valid codes are 3XX except "
            "300."
        )
    error = (rule.get("Condition") or {}).get("HttpErrorCodeReturnedEquals")
    if error is not None and not (error.isdigit() and int(error) in _ERRORS):
        raise InvalidRequest(
            f"The provided HTTP error code ({error}) is not valid. Valid codes are 4XX or 5XX."
        )


def _check_protocol(redirect: Mapping[str, Any]) -> None:
    if redirect.get("Protocol") not in (None, "http", "https"):
        raise InvalidRequest("Invalid protocol, protocol can be http or https.")


def index_key(website: Mapping[str, Any], key: str) -> str:
    """The key of the page that stands for a path: a folder's is its index document."""
    return key + website["IndexDocument"]["Suffix"] if not key or key.endswith("/") else key


def redirect_for(website: Mapping[str, Any], key: str, error: int | None) -> Request | None:
    """The redirect of the first rule that speaks of the key, or of the error it came to."""
    for rule in website.get("RoutingRules") or []:
        condition = rule.get("Condition") or {}
        prefix = condition.get("KeyPrefixEquals")
        code = condition.get("HttpErrorCodeReturnedEquals")
        if prefix is not None and not key.startswith(prefix):
            continue
        if (code is None) == (error is None) and (code is None or int(code) == error):
            return {**rule["Redirect"], "_prefix": prefix or ""}
    return None


def location_of(redirect: Mapping[str, Any], key: str, scheme: str, host: str) -> str:
    """The address that a redirect leads to."""
    if redirect.get("ReplaceKeyWith") is not None:
        key = redirect["ReplaceKeyWith"]
    elif redirect.get("ReplaceKeyPrefixWith") is not None:
        key = redirect["ReplaceKeyPrefixWith"] + key[len(redirect.get("_prefix", "")) :]
    protocol = redirect.get("Protocol") or scheme
    return f"{protocol}://{redirect.get('HostName') or host}/{quote(key, safe='/-_.~')}"
