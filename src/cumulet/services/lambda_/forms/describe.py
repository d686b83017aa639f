"""Records as Lambda's answers show them. Pure."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import msgspec

from cumulet.core.identity import Scope
from cumulet.kit.tls.hosts import zone_of
from cumulet.services.lambda_.forms.names import FunctionRef, LayerRef, qualified
from cumulet.services.lambda_.model import (
    Alias,
    EventConfig,
    LayerVersion,
    Logging,
    Package,
    Url,
    Version,
)

MANAGED_RUNTIME_VERSION = "1"


def stamp(seconds: float) -> str:
    """A time as Lambda writes it: `2026-01-31T12:00:00.000+0000`."""
    whole = datetime.fromtimestamp(seconds, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{whole.microsecond // 1000:03d}+0000"


def code_sha256(package: Package) -> str:
    """The package's SHA-256 in base64."""
    return base64.b64encode(bytes.fromhex(package.digest)).decode()


def describe_version(
    scope: Scope, version: Version, environment: dict[str, str] | None, *, shown: str = ""
) -> dict[str, Any]:
    """A FunctionConfiguration. `shown` is the qualifier its ARN carries."""
    settings = version.settings
    arn = scope.arn("lambda", f"function:{version.function}")
    answer: dict[str, Any] = {
        "FunctionName": version.function,
        "FunctionArn": qualified(arn, shown),
        "Runtime": settings.runtime,
        "Role": settings.role,
        "Handler": settings.handler,
        "CodeSize": version.package.size_bytes,
        "Description": settings.description,
        "Timeout": settings.timeout_seconds,
        "MemorySize": settings.memory_mb,
        "LastModified": stamp(version.modified),
        "CodeSha256": code_sha256(version.package),
        "Version": version.label,
        "TracingConfig": {"Mode": settings.tracing},
        "RevisionId": version.revision,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": [settings.architecture],
        "EphemeralStorage": {"Size": settings.ephemeral_mb},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": describe_logging(settings.logging),
    }
    if settings.runtime:
        answer["RuntimeVersionConfig"] = {
            "RuntimeVersionArn": runtime_version_arn(scope.region, settings.runtime)
        }
    if environment:
        answer["Environment"] = {"Variables": environment}
    if settings.dead_letter_arn:
        answer["DeadLetterConfig"] = {"TargetArn": settings.dead_letter_arn}
    if settings.layers:
        answer["Layers"] = [
            {"Arn": layer.arn, "CodeSize": layer.package.size_bytes} for layer in settings.layers
        ]
    return answer


def describe_logging(logging: Logging) -> dict[str, str]:
    """A LoggingConfig."""
    answer = {"LogFormat": logging.format, "LogGroup": logging.group}
    if logging.format == "JSON":
        answer["ApplicationLogLevel"] = logging.application_level or "INFO"
        answer["SystemLogLevel"] = logging.system_level or "INFO"
    return answer


def runtime_version_arn(region: str, runtime: str) -> str:
    """An ARN that stands for the runtime this machine has."""
    return f"arn:aws:lambda:{region}::runtime:{runtime.encode().hex():0<64.64}"


def describe_alias(scope: Scope, alias: Alias) -> dict[str, Any]:
    """An AliasConfiguration."""
    answer: dict[str, Any] = {
        "AliasArn": FunctionRef(scope, alias.function, alias.name).arn,
        "Name": alias.name,
        "FunctionVersion": alias.label,
        "Description": alias.description,
        "RevisionId": alias.revision,
    }
    if alias.weights:
        answer["RoutingConfig"] = {"AdditionalVersionWeights": dict(alias.weights)}
    return answer


def describe_event_config(scope: Scope, config: EventConfig) -> dict[str, Any]:
    """A FunctionEventInvokeConfig."""
    shown = config.qualifier or "$LATEST"
    answer: dict[str, Any] = {
        "LastModified": config.modified,
        "FunctionArn": FunctionRef(scope, config.function, shown).arn,
        "DestinationConfig": {
            "OnSuccess": {"Destination": config.on_success} if config.on_success else {},
            "OnFailure": {"Destination": config.on_failure} if config.on_failure else {},
        },
    }
    if config.retries is not None:
        answer["MaximumRetryAttempts"] = config.retries
    if config.age_seconds is not None:
        answer["MaximumEventAgeInSeconds"] = config.age_seconds
    return answer


def describe_url(scope: Scope, url: Url, endpoint: str) -> dict[str, Any]:
    """A FunctionUrlConfig."""
    answer: dict[str, Any] = {
        "FunctionUrl": public_url(scope.region, url.url_id, endpoint),
        "FunctionArn": FunctionRef(scope, url.function, url.qualifier).arn,
        "AuthType": url.auth,
        "CreationTime": stamp(url.created),
        "LastModifiedTime": stamp(url.modified),
        "InvokeMode": url.mode,
    }
    if url.cors:
        answer["Cors"] = url.cors
    return answer


def public_url(region: str, url_id: str, endpoint: str) -> str:
    """The function URL on this cloud: a name below the endpoint's, or below `localhost`."""
    return f"{endpoint.partition('://')[0]}://{url_id}.lambda-url.{region}.{zone_of(endpoint)}/"


def describe_layer_version(scope: Scope, layer: LayerVersion) -> dict[str, Any]:
    """What GetLayerVersion and the lists show of a layer version, without its content."""
    ref = LayerRef(scope, layer.layer, layer.number)
    answer: dict[str, Any] = {
        "LayerVersionArn": ref.arn,
        "Version": layer.number,
        "CreatedDate": stamp(layer.created),
    }
    optional = {
        "Description": layer.description,
        "LicenseInfo": layer.licence,
        "CompatibleRuntimes": list(layer.runtimes),
        "CompatibleArchitectures": list(layer.architectures),
    }
    answer.update({name: value for name, value in optional.items() if value})
    return answer


def policy_text(statements: tuple[dict[str, Any], ...]) -> str:
    """A resource policy document as GetPolicy gives it."""
    document = {"Version": "2012-10-17", "Id": "default", "Statement": list(statements)}
    return msgspec.json.encode(document).decode()
