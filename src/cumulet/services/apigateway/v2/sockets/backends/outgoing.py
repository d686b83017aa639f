"""The request for a backend that is no function proxy: mappings, templates, passing. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cumulet.services.apigateway.pipeline.faults import unsupported_media_type
from cumulet.services.apigateway.templates import Block
from cumulet.services.apigateway.templates.values import to_text
from cumulet.services.apigateway.v2.sockets.backends.answer import (
    render_template,
    template_variables,
    to_bytes,
)
from cumulet.services.apigateway.v2.sockets.deployed.selection import Sources, choose_template
from cumulet.services.apigateway.v2.sockets.deployed.served import ServedIntegration
from cumulet.services.apigateway.v2.sockets.event import Happening


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The body, and the parameters by name."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    path: dict[str, str] = field(default_factory=dict)


def sources_of(happening: Happening, stage_variables: Mapping[str, str]) -> Sources:
    """What expressions and mappings may ask of an event."""
    return Sources(
        happening.body,
        headers=happening.handshake.headers,
        query=happening.handshake.query,
        context=happening.context,
        variables=stage_variables,
    )


def prepare(
    integration: ServedIntegration, happening: Happening, stage_variables: Mapping[str, str]
) -> Outgoing:
    """The request as mapped. Raises GatewayFault: 415 when the message may not pass through.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-data-mapping.html
    """
    sources = sources_of(happening, stage_variables)
    mapped = Outgoing(b"")
    places = {"header": mapped.headers, "querystring": mapped.query, "path": mapped.path}
    for target, source in integration.mappings:
        place, _, name = target.removeprefix("integration.request.").partition(".")
        value = sources.mapped(source)
        if value is not None and place in places:
            places[place][name] = value
    text = happening.body
    body = to_bytes(text) if integration.content_handling == "CONVERT_TO_BINARY" else text.encode()
    template = _template(integration, sources)
    if template is not None:
        variables = template_variables(happening, stage_variables)
        body = render_template(template, variables, body, happening).encode()
        _override(places, variables["context"].get("requestOverride"))
    return Outgoing(body, mapped.headers, mapped.query, mapped.path)


def _template(integration: ServedIntegration, sources: Sources) -> Block | None:
    select = integration.template_selection
    selected = select(sources) if select is not None else None
    chosen = choose_template(integration.templates, selected)
    if chosen is None:
        behaviour = integration.passthrough
        if behaviour == "NEVER" or (behaviour == "WHEN_NO_TEMPLATES" and integration.templates):
            raise unsupported_media_type()
    return chosen


def _override(places: Mapping[str, dict[str, str]], overrides: Any) -> None:
    for place, values in places.items():
        given = overrides.get(place) if isinstance(overrides, dict) else None
        if isinstance(given, dict):
            values.update({str(name): to_text(value) for name, value in given.items()})
