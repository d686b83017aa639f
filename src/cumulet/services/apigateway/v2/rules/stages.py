"""Stages: names, variables, settings of routes, access logs. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cumulet.core.identity import parse_arn
from cumulet.services.apigateway.errors import BadRequestException
from cumulet.services.apigateway.rules.names import check_variables
from cumulet.services.apigateway.v2.limits import ACCESS_LOG_FORMAT_MAX
from cumulet.services.apigateway.v2.model import DEFAULT, HTTP
from cumulet.services.apigateway.v2.rules.words import check_lengths, refuse_members

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}\Z")


def check_stage(request: Mapping[str, Any], protocol: str) -> None:
    """Refuse what a stage of this protocol may not say. Raises BadRequestException."""
    check_lengths(request)
    check_variables({k: v for k, v in (request.get("StageVariables") or {}).items() if v})
    refuse_members(request, ("ClientCertificateId",), "supported only for REST APIs in Cumulet")
    for settings in (
        request.get("DefaultRouteSettings"),
        *(request.get("RouteSettings") or {}).values(),
    ):
        check_settings(settings or {}, protocol)
    check_access_log(request.get("AccessLogSettings"))


def check_stage_name(name: str, protocol: str) -> None:
    """Raise BadRequestException unless a stage may be called so."""
    if not _NAME.match(name) and not (name == DEFAULT and protocol == HTTP):
        allowed = "a-zA-Z0-9_- and $default" if protocol == HTTP else "a-zA-Z0-9_-"
        raise BadRequestException(f"Stage name only allows {allowed}")


def check_settings(settings: Mapping[str, Any], protocol: str) -> None:
    """Raise BadRequestException unless a route may be metered and logged so."""
    if protocol == HTTP:
        level = settings.get("LoggingLevel")
        if settings.get("DataTraceEnabled") or level not in (None, "OFF"):
            raise BadRequestException("Execution logs are not supported on protocolType HTTP")
    for name in ("ThrottlingBurstLimit", "ThrottlingRateLimit"):
        if (settings.get(name) or 0) < 0:
            raise BadRequestException(f"{name} must not be negative")


def check_access_log(settings: Mapping[str, Any] | None) -> None:
    """Raise BadRequestException unless lines can be written so."""
    if not settings:
        return
    destination, form = settings.get("DestinationArn") or "", settings.get("Format") or ""
    arn = parse_arn(destination.removesuffix(":*"))
    if arn is None or arn.service not in ("logs", "firehose"):
        raise BadRequestException("Invalid ARN specified in the request")
    if arn.service == "firehose":
        raise BadRequestException("Access logs to Firehose are not supported by Cumulet.")
    if not arn.resource.startswith("log-group:"):
        raise BadRequestException("Invalid ARN specified in the request")
    if not 1 <= len(form) <= ACCESS_LOG_FORMAT_MAX:
        raise BadRequestException(
            f"Access log format must be between 1 and {ACCESS_LOG_FORMAT_MAX} characters long"
        )
    if "$context.requestId" not in form and "$context.extendedRequestId" not in form:
        raise BadRequestException(
            "Failed to parse access log format, must contain at least $context.requestId or "
            "$context.extendedRequestId"
        )
