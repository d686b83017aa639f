"""The settings of a REST API: their checks, patch rules and defaults. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cumulet.core.identity import Scope
from cumulet.kit.policy import MalformedPolicy, check_document
from cumulet.services.apigateway.errors import BadRequestException, not_yet
from cumulet.services.apigateway.limits import (
    COMPRESSION_BYTES_MAX,
    TAG_KEY_LENGTH_MAX,
    TAG_VALUE_LENGTH_MAX,
    TAGS_MAX,
)
from cumulet.services.apigateway.model import EndpointConfiguration, RestApi, shown
from cumulet.services.apigateway.rules.patch import (
    ADD_REMOVE,
    ALL,
    REPLACE,
    Operations,
    Patch,
    Rule,
    apply_patches,
    parse_patch,
    read_flag,
    terse,
)

_ENDPOINT_TYPES = ("REGIONAL", "EDGE", "PRIVATE")
_KEY_SOURCES = ("HEADER", "AUTHORIZER")

_NOT_YET = {
    "securityPolicy": "The securityPolicy of an API is",
    "endpointAccessMode": "The endpointAccessMode of an API is",
}


def check_settings(request: Mapping[str, Any]) -> None:
    """Check the settings of a new API, in AWS's order. Raises BadRequestException."""
    if not request["name"].strip():
        raise BadRequestException("API name must be non-empty")
    if request.get("description") == "":
        raise BadRequestException("Description cannot be an empty string")
    for member, words in _NOT_YET.items():
        if request.get(member):
            raise not_yet(words)
    check_compression(request.get("minimumCompressionSize"))


def check_compression(size: int | None) -> None:
    """Raise BadRequestException unless bodies may be compressed from this size on."""
    if size is not None and not 0 <= size <= COMPRESSION_BYTES_MAX:
        raise _bad_compression()


def _bad_compression() -> BadRequestException:
    return BadRequestException(
        f"Invalid minimum compression size, must be between 0 and {COMPRESSION_BYTES_MAX}"
    )


def parse_endpoint(given: Mapping[str, Any] | None) -> EndpointConfiguration:
    """The endpoint of a new API; EDGE over IPv4 unless told. Raises BadRequestException."""
    if given is None:
        return EndpointConfiguration(types=("EDGE",), ip_address_type="ipv4")
    types = tuple(given.get("types", ("EDGE",)))
    if not types:
        raise BadRequestException(
            "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED."
        )
    if len(types) > 1:
        raise BadRequestException("Cannot create an api with multiple Endpoint Types.")
    if types[0] not in _ENDPOINT_TYPES:
        raise BadRequestException(
            "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE"
        )
    if types[0] == "PRIVATE" or given.get("vpcEndpointIds"):
        raise not_yet("Private APIs are")
    address = given.get("ipAddressType") or "ipv4"
    if address not in ("ipv4", "dualstack"):
        raise BadRequestException("ipAddressType must be either ipv4 or dualstack.")
    return EndpointConfiguration(types=types, ip_address_type=address)


def parse_api_policy(text: str | None, scope: Scope, api_id: str) -> str | None:
    """A resource policy as it is kept: checked, and its short ARNs written out.

    `execute-api:/stage/GET/path` is AWS's short form for this API's own ARN. Raises
    BadRequestException. An empty text is no policy.
    """
    if text is None or not text.strip():
        return None
    own = scope.arn("execute-api", api_id)
    try:
        document = json.loads(text)
        if isinstance(document, dict):
            document = _write_out(document, own)
        whole = json.dumps(document, separators=(",", ":"))
        check_document(whole, "resource")
    except (ValueError, MalformedPolicy) as cause:
        raise BadRequestException(
            "Invalid policy document. Please check the policy syntax and ensure that "
            "Principals are valid."
        ) from cause
    return whole


def _write_out(document: dict[str, Any], own: str) -> dict[str, Any]:
    statements = document.get("Statement")
    listed = statements if isinstance(statements, list) else [statements]
    for statement in listed:
        if not isinstance(statement, dict):
            continue
        for member in ("Resource", "NotResource"):
            if member in statement:
                statement[member] = _long_form(statement[member], own)
    return document


def _long_form(resource: Any, own: str) -> Any:
    if isinstance(resource, list):
        return [_long_form(item, own) for item in resource]
    if isinstance(resource, str) and resource.startswith("execute-api:/"):
        return own + resource.removeprefix("execute-api:")
    return resource


def check_tags(tags: Mapping[str, str] | None) -> None:
    """Raise BadRequestException unless these may be a resource's tags."""
    if tags and len(tags) > TAGS_MAX:
        raise BadRequestException(f"A resource can have at most {TAGS_MAX} tags.")
    for key, value in (tags or {}).items():
        if not 1 <= len(key) <= TAG_KEY_LENGTH_MAX or key.lower().startswith("aws:"):
            raise BadRequestException(f"Invalid tag key: {key}")
        if len(value) > TAG_VALUE_LENGTH_MAX:
            raise BadRequestException(f"Invalid tag value of the key: {key}")


def _read_compression(text: str) -> int | None:
    if not text or text == "null":
        return None
    try:
        size = int(text)
    except ValueError as cause:
        raise _bad_compression() from cause
    check_compression(size)
    return size


def _read_key_source(text: str) -> str:
    if text not in _KEY_SOURCES:
        raise BadRequestException(
            "Invalid ApiKeySource specified. Valid options are HEADER,AUTHORIZER"
        )
    return text


_RULES = (
    Rule("/name"),
    Rule("/description", ALL),
    Rule("/version", ALL),
    Rule("/apiKeySource", REPLACE, _read_key_source),
    Rule("/disableExecuteApiEndpoint", REPLACE, read_flag),
    Rule("/minimumCompressionSize", REPLACE, _read_compression),
    Rule("/policy", ALL),
    Rule("/binaryMediaTypes/{}", ALL, kind="set"),
    Rule("/endpointConfiguration/ipAddressType"),
    Rule("/endpointConfiguration/vpcEndpointIds/{}", ADD_REMOVE, kind="set"),
)


def patch_api(api: RestApi, operations: Operations | None, scope: Scope) -> RestApi:
    """The API with the patch operations done. Raises BadRequestException."""
    document = msgspec.to_builtins(api)
    for given in operations or ():
        patch = parse_patch(given)
        if patch.segments[:2] == ("endpointConfiguration", "types"):
            document = _patch_types(document, patch)
        else:
            document = apply_patches(document, [given], _RULES, terse)
    endpoint = parse_endpoint(document["endpointConfiguration"])
    if not document.get("name", "").strip():
        raise BadRequestException("API name must be non-empty")
    document["policy"] = parse_api_policy(document.get("policy"), scope, api.id)
    document["binaryMediaTypes"] = document.get("binaryMediaTypes") or None
    changed = msgspec.convert(document, RestApi)
    return msgspec.structs.replace(changed, endpoint_configuration=endpoint)


def _patch_types(document: dict[str, Any], patch: Patch) -> dict[str, Any]:
    """An API has one endpoint type, so each way to name the old one replaces it."""
    if patch.op not in ALL:
        raise BadRequestException(
            "Invalid patch operation specified. Must be 'add'|'remove'|'replace'"
        )
    if len(patch.segments) != 3:
        raise BadRequestException(f"Invalid patch path {patch.path}")
    endpoint = dict(document["endpointConfiguration"])
    types: Sequence[str] = endpoint["types"]
    if patch.op == "remove":
        left = [kind for kind in types if kind != patch.segments[2]]
    elif patch.op == "add":
        left = [*types, patch.value or patch.segments[2]]
    else:
        left = [patch.value or ""]
    return {**document, "endpointConfiguration": {**endpoint, "types": left}}


def api_view(api: RestApi, *, with_tags: bool = True) -> dict[str, Any]:
    """An API as AWS shows it; the policy is JSON text escaped once more, as AWS gives it."""
    view = shown(api, "origin")
    if api.policy is not None:
        view["policy"] = json.dumps(api.policy)[1:-1]
    if with_tags:
        view.setdefault("tags", {})
    return view
