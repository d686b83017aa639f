"""What a backend gave, and how integration responses make a route's answer of it. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cumulet.services.apigateway.pipeline.faults import configuration_error
from cumulet.services.apigateway.rules.patterns import Overlong, fits
from cumulet.services.apigateway.templates import Block, Input, TemplateError, Util, render
from cumulet.services.apigateway.v2.sockets.deployed.selection import Sources, choose_template
from cumulet.services.apigateway.v2.sockets.deployed.served import ServedIntegration, ServedResponse
from cumulet.services.apigateway.v2.sockets.event import Happening

_SELECTOR_MAX = 4_096


@dataclass(frozen=True, slots=True)
class Answer:
    """What a route gives: a status and headers, which count for `$connect`, and a message."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


def shape(
    integration: ServedIntegration,
    happening: Happening,
    stage_variables: Mapping[str, str],
    received: Answer,
) -> Answer:
    """The backend's answer by the integration response that fits. Raises GatewayFault.

    Without any integration response it goes on as it is.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-responses.html
    """
    if not integration.responses:
        return received
    sources = Sources(
        received.body.decode("utf-8", "replace"),
        headers=dict(received.headers),
        context=happening.context,
        variables=stage_variables,
        status=received.status,
    )
    chosen = _choose(integration, integration.response_selection(sources))
    body = _converted(received.body, chosen.content_handling)
    template = choose_template(chosen.templates, chosen.template_selection(sources))
    status = received.status
    if template is not None:
        variables = template_variables(happening, stage_variables)
        body = render_template(template, variables, body, happening).encode()
        override = variables["context"]["responseOverride"]
        wanted = override.get("status") if isinstance(override, dict) else None
        status = wanted if isinstance(wanted, int) and 100 <= wanted < 600 else status
    return Answer(status, body=body)


def _choose(integration: ServedIntegration, selected: str | None) -> ServedResponse:
    default = None
    text = (selected or "")[:_SELECTOR_MAX]
    for response in integration.responses:
        if response.pattern is None:
            default = response
            continue
        try:
            if text and fits(response.pattern, text):
                return response
        except Overlong as cause:
            raise configuration_error("an integration response's pattern took too long") from cause
    if default is None:
        raise configuration_error("no integration response fits, and there is no $default")
    return default


def template_variables(happening: Happening, stage_variables: Mapping[str, str]) -> dict[str, Any]:
    """The variables that templates begin with, all but `$input`."""
    overrides: dict[str, Any] = {"header": {}, "querystring": {}, "path": {}}
    return {
        "util": Util(),
        "context": {
            **happening.context,
            "requestOverride": overrides,
            "responseOverride": {"header": {}},
        },
        "stageVariables": dict(stage_variables),
    }


def render_template(
    template: Block, variables: dict[str, Any], body: bytes, happening: Happening
) -> str:
    """The template's text for a body. Raises GatewayFault when it fails."""
    handshake = happening.handshake
    text = body.decode("utf-8", "replace")
    variables["input"] = Input(text, {}, handshake.query, handshake.headers)
    try:
        return render(template, variables)
    except TemplateError as cause:
        raise configuration_error(f"the mapping template failed: {cause}") from cause


def to_bytes(body: str) -> bytes:
    """What a message in base64 stands for. Raises GatewayFault for what is not base64.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-binary-media-types.html
    """
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as cause:
        raise configuration_error("the body is not base64") from cause


def _converted(body: bytes, handling: str | None) -> bytes:
    if handling == "CONVERT_TO_BINARY":
        return to_bytes(body.decode("utf-8", "replace"))
    if handling == "CONVERT_TO_TEXT" and as_text(body) is None:
        return base64.b64encode(body)
    return body


def as_text(body: bytes) -> str | None:
    """The bytes as text; None when they are not UTF-8."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
