"""All `$context` names of one request, as its logs and gateway responses have them.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cumulet.core.identity import ANONYMOUS
from cumulet.services.apigateway.pipeline.event import request_context

if TYPE_CHECKING:
    from cumulet.services.apigateway.pipeline.match import Arrival
    from cumulet.services.apigateway.pipeline.observe.journal import Journal
    from cumulet.services.apigateway.pipeline.served import ServedStage


def context_of(stage: ServedStage, arrival: Arrival) -> dict[str, Any]:
    """What is known of the request so far, in maps as templates see it."""
    journal = arrival.journal
    matched, authorized = journal.matched, journal.authorized
    if matched is None:
        values = _of_unmatched(stage, arrival)
    elif authorized is None:
        values = request_context(matched, ANONYMOUS)
    else:
        values = request_context(matched, authorized.caller, authorized.authorizer, journal.key)
    values |= {"isCanaryRequest": stage.is_canary, "xrayTraceId": trace_root(arrival.trace_header)}
    fault = journal.fault
    if fault is not None:
        values["error"] = {
            "message": fault.message,
            "messageString": json.dumps(fault.message, ensure_ascii=False),
            "responseType": fault.kind,
            "validationErrorString": getattr(fault, "validation_error", "") or None,
        }
    if journal.received is not None:
        values |= _of_backend(journal)
    return {**values, **journal.notes}


def _of_backend(journal: Journal) -> dict[str, Any]:
    """What is known of the backend's answer, under its old and its new names."""
    if journal.received is None:
        return {}
    status, headers, _ = journal.received
    told = next(
        (text for name, text in headers if name.lower() == "x-amzn-requestid"),
        journal.backend_request_id,
    )
    return {
        "awsEndpointRequestId": told or None,
        "integrationStatus": status,
        "integrationLatency": journal.integration_ms,
        "integration": {
            "status": status,
            "integrationStatus": status,
            "latency": journal.integration_ms,
            "requestId": told or None,
        },
    }


def _of_unmatched(stage: ServedStage, arrival: Arrival) -> dict[str, Any]:
    """What is known when no resource fits: AWS has no resource path then."""
    request = arrival.request
    return {
        "accountId": stage.scope.account,
        "apiId": stage.api_id,
        "deploymentId": stage.deployment_id,
        "domainName": arrival.domain,
        "domainPrefix": arrival.domain_prefix,
        "extendedRequestId": arrival.extended_id,
        "httpMethod": request.method,
        "identity": {
            "sourceIp": request.peer,
            "userAgent": request.headers.get("user-agent") or None,
        },
        "path": arrival.whole_path,
        "protocol": "HTTP/1.1",
        "requestId": arrival.request_id,
        "requestTimeEpoch": arrival.epoch_ms,
        "stage": stage.stage_name,
    }


def trace_root(trace_header: str) -> str:
    """The trace's id: what `Root=` says."""
    for part in trace_header.split(";"):
        if part.startswith("Root="):
            return part.removeprefix("Root=")
    return ""
