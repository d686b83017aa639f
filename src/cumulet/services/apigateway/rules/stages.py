"""The settings of stages: methods, canary, cache cluster and access log. Pure.

Follows https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html (Stage)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cumulet.core.identity import parse_arn
from cumulet.services.apigateway.errors import BadRequestException, not_yet
from cumulet.services.apigateway.model import Stage

EVERY_METHOD = "*/*"
CACHE_SIZES = ("0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237")
"""In gigabytes: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-caching.html"""

CACHE_TTL_SECONDS_MAX = 3_600
ACCESS_LOG_FORMAT_BYTES_MAX = 3_072
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html"""

_LEVELS = ("OFF", "ERROR", "INFO")
_STRATEGIES = (
    "FAIL_WITH_403",
    "SUCCEED_WITH_RESPONSE_HEADER",
    "SUCCEED_WITHOUT_RESPONSE_HEADER",
)


class MethodSettings(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How a stage treats requests to a method; AWS's defaults. Rates are per second."""

    metrics_enabled: bool = False
    logging_level: str | None = None
    """None is `OFF` that nobody has asked for: AWS does not show it."""
    data_trace_enabled: bool = False
    throttling_burst_limit: int = 5_000
    throttling_rate_limit: float = 10_000.0
    caching_enabled: bool = False
    cache_ttl_in_seconds: int = 300
    cache_data_encrypted: bool = False
    require_authorization_for_cache_control: bool = True
    unauthorized_cache_control_header_strategy: str = "SUCCEED_WITH_RESPONSE_HEADER"


def own_key(stage: Stage, path: str, verb: str) -> str | None:
    """The key of the settings that a stage has for just this method of just this path, if any.

    In keys a path's slashes may be written `~1`, and its first one left out.
    """
    wanted = (path.strip("/"), verb)
    for key in stage.method_settings:
        name, _, method = key.rpartition("/")
        if (name.replace("~1", "/").replace("~0", "~").strip("/"), method) == wanted:
            return key
    return None


def settings_of(stage: Stage, path: str, verb: str) -> MethodSettings:
    """The settings for a method: its own, else those of all methods, else AWS's defaults."""
    key = own_key(stage, path, verb)
    found = stage.method_settings.get(key if key is not None else EVERY_METHOD)
    return msgspec.convert(found or {}, MethodSettings)


def _bad(words: str) -> BadRequestException:
    return BadRequestException(words)


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise _bad(f"Invalid value '{text}' specified for a boolean setting")
    return text.lower() == "true"


def _level(text: str) -> str:
    if text.upper() not in _LEVELS:
        raise _bad(f"Invalid logging level specified. Valid options are {','.join(_LEVELS)}")
    return text.upper()


def _strategy(text: str) -> str:
    if text not in _STRATEGIES:
        raise _bad(
            "Invalid unauthorizedCacheControlHeaderStrategy specified. Valid options are "
            f"{','.join(_STRATEGIES)}"
        )
    return text


def _seconds(text: str) -> int:
    if not text.isdigit() or int(text) > CACHE_TTL_SECONDS_MAX:
        raise _bad(f"Invalid cache TTL specified, must be between 0 and {CACHE_TTL_SECONDS_MAX}")
    return int(text)


def _burst(text: str) -> int:
    try:
        limit = int(text)
    except ValueError as cause:
        raise _bad(f"Invalid throttling burst limit specified: {text}") from cause
    if not -1 <= limit < 1 << 31:
        raise _bad(f"Invalid throttling burst limit specified: {text}")
    return limit


def _rate(text: str) -> float:
    try:
        limit = float(text)
    except ValueError as cause:
        raise _bad(f"Invalid throttling rate limit specified: {text}") from cause
    if not -1 <= limit < 1e9:
        raise _bad(f"Invalid throttling rate limit specified: {text}")
    return limit


SETTINGS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "metrics/enabled": ("metricsEnabled", _flag),
    "logging/dataTrace": ("dataTraceEnabled", _flag),
    "logging/loglevel": ("loggingLevel", _level),
    "throttling/burstLimit": ("throttlingBurstLimit", _burst),
    "throttling/rateLimit": ("throttlingRateLimit", _rate),
    "caching/ttlInSeconds": ("cacheTtlInSeconds", _seconds),
    "caching/enabled": ("cachingEnabled", _flag),
    "caching/dataEncrypted": ("cacheDataEncrypted", _flag),
    "caching/requireAuthorizationForCacheControl": (
        "requireAuthorizationForCacheControl",
        _flag,
    ),
    "caching/unauthorizedCacheControlHeaderStrategy": (
        "unauthorizedCacheControlHeaderStrategy",
        _strategy,
    ),
}
"""What follows the method in a patch's path, the member it changes, and how its value is read."""


def check_cache_size(size: str | None) -> None:
    """Raise BadRequestException unless a cache cluster may be so large."""
    if size is not None and size not in CACHE_SIZES:
        raise _bad(f"Invalid cache cluster size specified. Valid options are {CACHE_SIZES}")


def check_percent(percent: float) -> None:
    """Raise BadRequestException unless it is a share of requests."""
    if not 0 <= percent <= 100:
        raise _bad("Canary percentTraffic must be between 0.0 and 100.0")


_REQUIRED_IN_LINE = re.compile(r"\$context\.(?:requestId|extendedRequestId)\b")


def check_access_log(destination: str | None, line: str | None) -> None:
    """Raise BadRequestException unless lines of this form can go there.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    """
    if destination:
        arn = parse_arn(destination.removesuffix(":*"))
        if arn is not None and arn.service == "firehose":
            raise not_yet("Access logs that go to Amazon Data Firehose are")
        if arn is None or arn.service != "logs" or not arn.resource.startswith("log-group:"):
            raise _bad(
                "Invalid ARN specified in the request. ARNs must start with 'arn:aws' and the "
                "destination must be a CloudWatch Logs log group."
            )
    if line:
        if len(line.encode()) > ACCESS_LOG_FORMAT_BYTES_MAX:
            raise _bad(f"Access Log format is larger than {ACCESS_LOG_FORMAT_BYTES_MAX} bytes")
        if "\n" in line.rstrip("\n"):
            raise _bad(
                "Access Log format must be single line, new line character is allowed only at "
                "end of the format"
            )
        if not _REQUIRED_IN_LINE.search(line):
            raise _bad(
                "Access Log format must contain $context.requestId or $context.extendedRequestId."
            )


def log_group_of(destination: str) -> str:
    """The log group that an access log's ARN names."""
    arn = parse_arn(destination.removesuffix(":*"))
    return "" if arn is None else arn.resource.removeprefix("log-group:")
