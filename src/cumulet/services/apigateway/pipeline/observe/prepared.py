"""A stage's gateway responses and logs, made ready once when the stage is loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from cumulet.services.apigateway.model import Account, GatewayResponse, Stage
from cumulet.services.apigateway.pipeline.observe.formats import (
    Values,
    compile_format,
    compile_substitution,
)
from cumulet.services.apigateway.rules.gateway_responses import USUAL_TEMPLATES
from cumulet.services.apigateway.rules.mapping import Source, parse_source
from cumulet.services.apigateway.rules.stages import log_group_of

Substitution = Callable[[Callable[[str, str], str | None]], str]


@dataclass(frozen=True, slots=True)
class PreparedResponse:
    """One gateway response: no status leaves the refusal's own. Templates by content type."""

    status: int | None
    headers: tuple[tuple[str, Source], ...]
    templates: Mapping[str, Substitution]


@dataclass(frozen=True, slots=True)
class LogPlace:
    """A log group and a stream in it."""

    group: str
    stream: str


@dataclass(frozen=True, slots=True)
class Logs:
    """What a stage logs. `access` writes a request's line; both are None when they are off."""

    access: Callable[[Values], str] | None = None
    access_place: LogPlace | None = None
    execution_place: LogPlace | None = None


def prepare_responses(given: Iterable[GatewayResponse]) -> dict[str, PreparedResponse]:
    """The gateway responses by type."""
    return {one.response_type: _prepare(one) for one in given}


def _prepare(response: GatewayResponse) -> PreparedResponse:
    templates = response.response_templates or USUAL_TEMPLATES
    headers: list[tuple[str, Source]] = []
    for target, text in response.response_parameters.items():
        source = parse_source(text, "request")
        if source is not None:
            headers.append((target.removeprefix("gatewayresponse.header."), source))
    return PreparedResponse(
        status=int(response.status_code) if response.status_code else None,
        headers=tuple(headers),
        templates={
            kind.partition(";")[0].strip().lower(): compile_substitution(text)
            for kind, text in templates.items()
        },
    )


def prepare_logs(stage: Stage, account: Account, *, is_canary: bool = False) -> Logs:
    """What the stage logs; nothing while the account has no role for it.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    """
    if not account.cloudwatch_role_arn:
        return Logs()
    stream = hashlib.sha256(f"{stage.api_id}/{stage.stage_name}".encode()).hexdigest()[:32]
    settings = stage.access_log_settings
    has_access = settings is not None and settings.destination_arn and settings.format
    is_logged = any(
        (one.get("loggingLevel") or "OFF") != "OFF" for one in stage.method_settings.values()
    )
    group = f"API-Gateway-Execution-Logs_{stage.api_id}/{stage.stage_name}"
    return Logs(
        access=compile_format(settings.format or "") if settings and has_access else None,
        access_place=LogPlace(log_group_of(settings.destination_arn or ""), stream)
        if settings and has_access
        else None,
        execution_place=LogPlace(f"{group}/Canary" if is_canary else group, stream)
        if is_logged
        else None,
    )
