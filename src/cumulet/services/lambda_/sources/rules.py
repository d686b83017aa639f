"""What a mapping may ask for, and how it is told.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
"""

from __future__ import annotations

from collections.abc import Mapping as Given
from typing import Any

import msgspec

from cumulet.core.event_patterns import InvalidPattern, compile_pattern
from cumulet.core.identity import Scope, parse_arn
from cumulet.services.lambda_.errors import InvalidParameterValueException
from cumulet.services.lambda_.forms.names import FunctionRef
from cumulet.services.lambda_.sources.model import Mapping

_FILTERS_MAX = 10
_QUEUE_BATCH_MAX = 10_000
_FIFO_BATCH_MAX = 10
_NOT_HERE = (
    "KMSKeyArn",
    "LoggingConfig",
    "Topics",
    "Queues",
    "SourceAccessConfigurations",
    "SelfManagedEventSource",
    "AmazonManagedKafkaEventSourceConfig",
    "SelfManagedKafkaEventSourceConfig",
    "DocumentDBEventSourceConfig",
    "ProvisionedPollerConfig",
)
_OF_STREAMS = (
    "StartingPosition",
    "StartingPositionTimestamp",
    "ParallelizationFactor",
    "DestinationConfig",
    "MaximumRecordAgeInSeconds",
    "BisectBatchOnFunctionError",
    "MaximumRetryAttempts",
    "TumblingWindowInSeconds",
)


def check_source(arn: str | None) -> str:
    """The service of a source: `sqs` or `dynamodb`. Raises InvalidParameterValueException."""
    parsed = parse_arn(arn or "")
    if parsed is None:
        raise InvalidParameterValueException("Unrecognized event source.")
    if parsed.service == "dynamodb" and "/stream/" not in parsed.resource:
        raise InvalidParameterValueException(
            "Unrecognized event source, must be kinesis, dynamodb stream or sqs. "
        )
    if parsed.service not in ("sqs", "dynamodb"):
        raise InvalidParameterValueException(
            f"An event source of service {parsed.service} is not supported by Cumulet."
        )
    return parsed.service


def with_settings(mapping: Mapping, request: Given[str, Any]) -> Mapping:
    """The mapping with what a request says of it. Raises InvalidParameterValueException."""
    _refuse_foreign(mapping, request)
    changes: dict[str, Any] = {}
    plain = {
        "Enabled": "enabled",
        "BatchSize": "batch_size",
        "MaximumBatchingWindowInSeconds": "window_seconds",
        "ParallelizationFactor": "parallelization",
        "BisectBatchOnFunctionError": "bisects",
        "MaximumRecordAgeInSeconds": "record_age_seconds_max",
        "MaximumRetryAttempts": "retries_max",
        "TumblingWindowInSeconds": "tumbling_seconds",
    }
    for name, field in plain.items():
        if request.get(name) is not None:
            changes[field] = request[name]
    if "FilterCriteria" in request:
        changes["filters"] = _filters(request["FilterCriteria"] or {})
    if "FunctionResponseTypes" in request:
        types = request["FunctionResponseTypes"] or []
        changes["reports_items"] = "ReportBatchItemFailures" in types
    if "ScalingConfig" in request:
        changes["concurrency_max"] = (request["ScalingConfig"] or {}).get("MaximumConcurrency") or 0
    if "DestinationConfig" in request:
        given = request["DestinationConfig"] or {}
        if (given.get("OnSuccess") or {}).get("Destination"):
            raise InvalidParameterValueException(
                "OnSuccess destinations are not supported for event source mappings."
            )
        changes["on_failure"] = (given.get("OnFailure") or {}).get("Destination") or ""
    made = msgspec.structs.replace(mapping, **changes)
    _check_whole(made)
    return made


def _refuse_foreign(mapping: Mapping, request: Given[str, Any]) -> None:
    for name in _NOT_HERE:
        if request.get(name):
            raise InvalidParameterValueException(
                f"{name} is not supported by Cumulet for event source mappings."
            )
    if (request.get("MetricsConfig") or {}).get("Metrics"):
        raise InvalidParameterValueException("MetricsConfig is not supported by Cumulet.")
    if not mapping.is_stream:
        for name in _OF_STREAMS:
            if request.get(name) not in (None, {}):
                raise InvalidParameterValueException(
                    f"Unsupported {name} parameter for given event source mapping type."
                )
    elif request.get("ScalingConfig"):
        raise InvalidParameterValueException(
            "Unsupported ScalingConfig parameter for given event source mapping type."
        )


def _check_whole(mapping: Mapping) -> None:
    if mapping.record_age_seconds_max != -1 and not mapping.record_age_seconds_max >= 60:
        raise InvalidParameterValueException(
            "MaximumRecordAgeInSeconds must be -1, or between 60 and 604800."
        )
    if mapping.parallelization > 1 and mapping.tumbling_seconds:
        raise InvalidParameterValueException(
            "Cumulet does not support TumblingWindowInSeconds with a ParallelizationFactor."
        )
    if mapping.is_stream:
        return
    is_fifo = mapping.source_arn.endswith(".fifo")
    most = _FIFO_BATCH_MAX if is_fifo else _QUEUE_BATCH_MAX
    if mapping.batch_size > most:
        raise InvalidParameterValueException(
            f"BatchSize must be less than or equal to {most} for this event source."
        )
    if is_fifo and mapping.window_seconds:
        raise InvalidParameterValueException("Batching window is not supported for FIFO queues.")
    if mapping.batch_size > 10 and not mapping.window_seconds:
        raise InvalidParameterValueException(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is "
            "greater than 10"
        )
    if mapping.concurrency_max and not 2 <= mapping.concurrency_max <= 1_000:
        raise InvalidParameterValueException("MaximumConcurrency must be between 2 and 1000.")


def _filters(criteria: Given[str, Any]) -> tuple[str, ...]:
    patterns = tuple(one.get("Pattern") or "" for one in criteria.get("Filters") or ())
    if len(patterns) > _FILTERS_MAX:
        raise InvalidParameterValueException(f"A mapping can have {_FILTERS_MAX} filters.")
    for pattern in patterns:
        try:
            compile_pattern(pattern)
        except InvalidPattern as cause:
            raise InvalidParameterValueException(
                f"Invalid filter pattern definition. {cause}"
            ) from cause
    return patterns


def describe(scope: Scope, mapping: Mapping, result: str, state: str = "") -> dict[str, Any]:
    """The mapping in AWS's spelling; `result` is what came of its last batch."""
    ref = FunctionRef(scope, mapping.function, mapping.qualifier)
    shown: dict[str, Any] = {
        "UUID": mapping.uuid,
        "BatchSize": mapping.batch_size,
        "MaximumBatchingWindowInSeconds": mapping.window_seconds,
        "EventSourceArn": mapping.source_arn,
        "FunctionArn": ref.arn,
        "LastModified": mapping.modified_at,
        "State": state or mapping.state,
        "StateTransitionReason": "USER_INITIATED",
        "FunctionResponseTypes": ["ReportBatchItemFailures"] if mapping.reports_items else [],
        "EventSourceMappingArn": scope.arn("lambda", f"event-source-mapping:{mapping.uuid}"),
    }
    if mapping.filters:
        shown["FilterCriteria"] = {"Filters": [{"Pattern": one} for one in mapping.filters]}
    if mapping.concurrency_max:
        shown["ScalingConfig"] = {"MaximumConcurrency": mapping.concurrency_max}
    if mapping.is_stream:
        failure = {"OnFailure": {"Destination": mapping.on_failure}} if mapping.on_failure else {}
        shown |= {
            "LastProcessingResult": result,
            "StartingPosition": mapping.starting_position,
            "ParallelizationFactor": mapping.parallelization,
            "BisectBatchOnFunctionError": mapping.bisects,
            "MaximumRecordAgeInSeconds": mapping.record_age_seconds_max,
            "MaximumRetryAttempts": mapping.retries_max,
            "TumblingWindowInSeconds": mapping.tumbling_seconds,
            "DestinationConfig": failure or {"OnFailure": {}},
        }
    return shown
