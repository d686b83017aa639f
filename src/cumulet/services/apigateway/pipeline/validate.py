"""Fourth step: required parameters and the body's model, when the method has a validator."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from cumulet.services.apigateway.pipeline.authorize import Authorized
from cumulet.services.apigateway.pipeline.faults import (
    bad_body,
    bad_parameters,
)
from cumulet.services.apigateway.pipeline.meter import Metered, UsedKey

_JSON = "application/json"


class Admitted(msgspec.Struct, frozen=True):
    """A request that the backend may see, with its query read and the API key that it used."""

    authorized: Authorized
    query: list[tuple[str, str]]
    key: UsedKey | None = None


def validate(metered: Metered) -> Admitted:
    """Check what the method's validator says. Raises GatewayFault.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html
    """
    authorized, key = metered.authorized, metered.key
    matched = authorized.matched
    text = matched.arrival.request.query
    query = parse_qsl(text, keep_blank_values=True, errors="replace") if text else []
    validation = matched.method.validation
    if validation is None:
        return Admitted(authorized, query, key)
    names = {name for name, _ in query}
    headers = matched.arrival.request.headers
    missing = [
        name
        for place, name in validation.required
        if place == "path"
        or (name not in names if place == "querystring" else name.lower() not in headers)
    ]
    if missing:
        raise bad_parameters(missing)
    if validation.schemas is not None:
        _check_body(authorized, validation.schemas)
    return Admitted(authorized, query, key)


def _check_body(authorized: Authorized, schemas: Mapping[str, Callable[[Any], bool]]) -> None:
    arrival = authorized.matched.arrival
    kind = arrival.request.headers.get("content-type") or _JSON
    fits = schemas.get(kind.partition(";")[0].strip().lower())
    if fits is None:
        # A body of a type without a model is let through.
        return
    try:
        document = json.loads(arrival.body) if arrival.body else None
        if not arrival.body or not fits(document):
            raise bad_body()
    except (ValueError, RecursionError) as cause:
        raise bad_body() from cause
