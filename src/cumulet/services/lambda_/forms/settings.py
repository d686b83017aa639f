"""The configuration of a function, checked as AWS does and merged with what was there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.services.lambda_.errors import InvalidParameterValueException
from cumulet.services.lambda_.limits import (
    ENVIRONMENT_BYTES_MAX,
    EPHEMERAL_MB_MAX,
    LAYERS_MAX,
    MEMORY_MB_MAX,
    TIMEOUT_SECONDS_MAX,
)
from cumulet.services.lambda_.model import Logging, Settings

RESERVED_VARIABLES = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    }
)
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""

_RUNNABLE = ("python3.", "nodejs", "provided")
_BLOCKED = frozenset(
    {
        "nodejs",
        "nodejs4.3",
        "nodejs4.3-edge",
        "nodejs6.10",
        "nodejs8.10",
        "nodejs10.x",
        "nodejs12.x",
        "nodejs14.x",
        "python2.7",
        "python3.6",
        "python3.7",
        "java8",
        "dotnetcore1.0",
        "dotnetcore2.0",
        "dotnetcore2.1",
        "dotnetcore3.1",
        "ruby2.5",
        "ruby2.7",
        "go1.x",
        "provided",
    }
)
"""Runtimes for which Lambda blocks creation and update.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"""

_NOT_HERE = (
    "TenancyConfig",
    "CapacityProviderConfig",
    "DurableConfig",
    "RuntimeConfig",
    "AcceleratorConfig",
    "FileSystemConfigs",
    "ImageConfig",
    "KMSKeyArn",
    "PublishTo",
)


def check_supported(request: Mapping[str, Any]) -> None:
    """Raises InvalidParameterValueException for what AWS has and Cumulet does not, naming it."""
    for member in _NOT_HERE:
        if request.get(member):
            raise not_supported(member)
    if request.get("PackageType") == "Image":
        raise not_supported("PackageType Image (container images)")
    vpc = request.get("VpcConfig") or {}
    if vpc.get("SubnetIds") or vpc.get("SecurityGroupIds"):
        raise not_supported("VpcConfig")
    if (request.get("SnapStart") or {}).get("ApplyOn") == "PublishedVersions":
        raise not_supported("SnapStart")


def not_supported(what: str) -> InvalidParameterValueException:
    """The error for a feature that is not in Cumulet."""
    return InvalidParameterValueException(f"{what} is not supported by Cumulet.")


def merge_settings(old: Settings, request: Mapping[str, Any]) -> Settings:
    """The settings with what the request gives; its environment and layers are added elsewhere.

    Raises InvalidParameterValueException.
    """
    plain = {
        "Runtime": "runtime",
        "Role": "role",
        "Handler": "handler",
        "Description": "description",
        "Timeout": "timeout_seconds",
        "MemorySize": "memory_mb",
    }
    changes: dict[str, Any] = {
        field: request[member] for member, field in plain.items() if request.get(member) is not None
    }
    if (storage := request.get("EphemeralStorage")) is not None:
        changes["ephemeral_mb"] = storage["Size"]
    if (tracing := request.get("TracingConfig")) is not None:
        changes["tracing"] = tracing.get("Mode") or "PassThrough"
    if (dead_letter := request.get("DeadLetterConfig")) is not None:
        changes["dead_letter_arn"] = dead_letter.get("TargetArn") or ""
    if architectures := request.get("Architectures"):
        changes["architecture"] = architectures[0]
    if (logging := request.get("LoggingConfig")) is not None:
        changes["logging"] = _merge_logging(old.logging, logging)
    new = msgspec.structs.replace(old, **changes)
    _check(new)
    return new


def _merge_logging(old: Logging, given: Mapping[str, Any]) -> Logging:
    format_ = given.get("LogFormat") or old.format
    application = given.get("ApplicationLogLevel") or ""
    system = given.get("SystemLogLevel") or ""
    if format_ == "Text":
        if application or system:
            raise InvalidParameterValueException(
                "To set the log level for your function, you must set the log format to JSON."
            )
        return Logging(given.get("LogGroup") or old.group)
    return Logging(
        given.get("LogGroup") or old.group,
        format_,
        application or old.application_level or "INFO",
        system or old.system_level or "INFO",
    )


def _check(settings: Settings) -> None:
    _check_runtime(settings.runtime)
    if not settings.handler:
        raise InvalidParameterValueException(
            "Runtime and Handler are mandatory parameters for functions created with deployment "
            "packages."
        )
    _check_most("timeout", settings.timeout_seconds, TIMEOUT_SECONDS_MAX)
    _check_most("memorySize", settings.memory_mb, MEMORY_MB_MAX)
    _check_most("ephemeralStorage.size", settings.ephemeral_mb, EPHEMERAL_MB_MAX)


def _check_runtime(runtime: str) -> None:
    if not runtime:
        raise InvalidParameterValueException(
            "Runtime and Handler are mandatory parameters for functions created with deployment "
            "packages."
        )
    if runtime in _BLOCKED:
        raise InvalidParameterValueException(
            f"The runtime parameter of {runtime} is no longer supported for creating or updating "
            "AWS Lambda functions. We recommend you use a supported runtime while creating or "
            "updating functions."
        )
    if not runtime.startswith(_RUNNABLE):
        raise not_supported(f"The runtime {runtime}")


def _check_most(name: str, value: int, most: int) -> None:
    if value > most:
        raise InvalidParameterValueException(
            f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy "
            f"constraint: Member must have value less than or equal to {most}"
        )


def check_variables(variables: Mapping[str, str]) -> None:
    """The rules for environment variables. Raises InvalidParameterValueException."""
    reserved = sorted(RESERVED_VARIABLES & variables.keys())
    if reserved:
        raise InvalidParameterValueException(
            "Lambda was unable to configure your environment variables because the environment "
            "variables you have provided contains reserved keys that are currently not supported "
            f"for modification. Reserved keys used in this request: {', '.join(reserved)}"
        )
    text = msgspec.json.encode(dict(variables))
    if len(text) > ENVIRONMENT_BYTES_MAX:
        raise InvalidParameterValueException(
            "Lambda was unable to configure your environment variables because the environment "
            f"variables you have provided exceeded the {ENVIRONMENT_BYTES_MAX // 1024}KB limit. "
            f"String measured: {text.decode()}"
        )


def check_layer_arns(arns: list[str]) -> None:
    """The rules for the list of layers. Raises InvalidParameterValueException."""
    if len(arns) > LAYERS_MAX:
        raise InvalidParameterValueException(f"Cannot reference more than {LAYERS_MAX} layers.")
    seen: dict[str, str] = {}
    for arn in arns:
        layer = arn.rpartition(":")[0]
        if layer in seen:
            raise InvalidParameterValueException(
                "Two different versions of the same layer are not allowed to be referenced in the "
                f"same function. {seen[layer]} and {arn}"
            )
        seen[layer] = arn
