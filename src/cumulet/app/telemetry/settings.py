"""Where traces and metrics are sent: OpenTelemetry's own variables, read into frozen values. Pure.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
https://opentelemetry.io/docs/specs/otel/protocol/exporter/
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from cumulet.app.telemetry.limits import (
    BATCH_SPANS_MAX,
    METRICS_SECONDS_MIN,
    QUEUE_TRACES_MAX,
    TOKEN_CHARACTERS_MIN,
)

Protocol = Literal["http/protobuf", "http/json"]

_PREFIX = "OTEL_EXPORTER_OTLP_"
_EVERYTHING = "parentbased_always_on"


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where one signal goes, and how. Headers may hold secrets, so that they are never shown."""

    url: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    protocol: Protocol = "http/protobuf"
    timeout_seconds: float = 10.0
    compresses: bool = False
    authority: str = ""
    certificate: str = ""
    key: str = ""

    def context(self) -> ssl.SSLContext | None:
        """By what the receiver's certificate and name are verified, always; None without TLS.

        Raises OSError for files that cannot be read.
        """
        if urlsplit(self.url).scheme != "https":
            return None
        context = ssl.create_default_context(cafile=self.authority or None)
        if self.certificate:
            context.load_cert_chain(self.certificate, self.key or None)
        return context


@dataclass(frozen=True, slots=True)
class Sampler:
    """Which requests are told. `follows_parent` lets a `traceparent`'s own mark decide first."""

    ratio: float = 1.0
    follows_parent: bool = True


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """What is sent to the owner's own tools, and who may scrape. Nothing, unless told."""

    traces: Receiver | None = None
    metrics: Receiver | None = None
    service_name: str = "cumulet"
    attributes: tuple[tuple[str, str], ...] = ()
    sampler: Sampler = Sampler()
    queue_traces: int = QUEUE_TRACES_MAX
    batch_spans: int = BATCH_SPANS_MAX
    delay_seconds: float = 5.0
    interval_seconds: float = 60.0
    scrape_token: str = field(default="", repr=False)
    """The bearer token of `/_cumulet/metrics`; without one the page does not exist."""

    @property
    def measures(self) -> bool:
        """Whether anybody asks for metrics."""
        return self.metrics is not None or bool(self.scrape_token)


def parse_settings(environment: Mapping[str, str], url: str = "") -> TelemetrySettings:
    """The settings that the variables make; `url` is `--otlp`, which goes before the variables.

    Raises ValueError with a sentence for people.
    """
    told = {name: value.strip() for name, value in environment.items() if value.strip()}
    if told.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return TelemetrySettings()
    if url:
        told[f"{_PREFIX}ENDPOINT"] = url
        told.pop(f"{_PREFIX}TRACES_ENDPOINT", None)
        told.pop(f"{_PREFIX}METRICS_ENDPOINT", None)
    settings = TelemetrySettings(
        traces=_receiver(told, "TRACES"), metrics=_receiver(told, "METRICS")
    )
    if settings.traces is None and settings.metrics is None:
        # Variables of programs that tell others elsewhere do not keep a cloud from its start.
        return settings
    preference = told.get(f"{_PREFIX}METRICS_TEMPORALITY_PREFERENCE", "cumulative")
    if preference.lower() != "cumulative":
        raise ValueError(
            f"{_PREFIX}METRICS_TEMPORALITY_PREFERENCE can only be cumulative: a collector's "
            "cumulativetodelta processor makes the others"
        )
    attributes = dict(_pairs(told, "OTEL_RESOURCE_ATTRIBUTES"))
    named = attributes.pop("service.name", settings.service_name)
    queue = int(_number(told, "OTEL_BSP_MAX_QUEUE_SIZE", QUEUE_TRACES_MAX, 1))
    batch = int(_number(told, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", BATCH_SPANS_MAX, 1))
    interval = _number(told, "OTEL_METRIC_EXPORT_INTERVAL", 60_000, METRICS_SECONDS_MIN * 1000)
    return replace(
        settings,
        service_name=told.get("OTEL_SERVICE_NAME", named),
        attributes=tuple(attributes.items()),
        sampler=_sampler(told),
        queue_traces=min(queue, QUEUE_TRACES_MAX * 32),
        batch_spans=min(batch, BATCH_SPANS_MAX * 8),
        delay_seconds=_number(told, "OTEL_BSP_SCHEDULE_DELAY", 5_000, 1) / 1000,
        interval_seconds=interval / 1000,
    )


def read_token(path: Path) -> str:
    """The token of a file's first line. Raises ValueError with a sentence, or OSError."""
    token = path.read_text(errors="replace").partition("\n")[0].strip()
    if len(token) < TOKEN_CHARACTERS_MIN or not token.isascii() or " " in token:
        raise ValueError(
            f"the token in {path} is a line of at least {TOKEN_CHARACTERS_MIN} characters without "
            "spaces, such as `openssl rand -hex 32` makes"
        )
    return token


def _receiver(told: Mapping[str, str], signal: str) -> Receiver | None:
    """Where the signal goes, by its own variables before those of all signals."""
    exporter = told.get(f"OTEL_{signal}_EXPORTER", "otlp")
    own, shared = told.get(f"{_PREFIX}{signal}_ENDPOINT"), told.get(f"{_PREFIX}ENDPOINT")
    if exporter == "none" or not (own or shared):
        return None
    if exporter != "otlp":
        raise ValueError(f"OTEL_{signal}_EXPORTER is otlp or none")
    url = own or f"{(shared or '').rstrip('/')}/v1/{signal.lower()}"
    _check_url(url)

    def setting(name: str, default: str = "") -> str:
        return told.get(f"{_PREFIX}{signal}_{name}") or told.get(f"{_PREFIX}{name}") or default

    protocol = setting("PROTOCOL", "http/protobuf")
    if protocol not in ("http/protobuf", "http/json"):
        raise ValueError(
            f"{_PREFIX}PROTOCOL is http/protobuf or http/json here, not {protocol}: collectors "
            "take these on port 4318"
        )
    compression = setting("COMPRESSION", "none")
    if compression not in ("gzip", "none"):
        raise ValueError(f"{_PREFIX}COMPRESSION is gzip or none")
    timeout_ms = _number({"TIMEOUT": setting("TIMEOUT", "10000")}, "TIMEOUT", 10_000, 1)
    headers = _pairs({"HEADERS": setting("HEADERS")}, "HEADERS")
    return Receiver(
        url,
        tuple(headers),
        "http/json" if protocol == "http/json" else "http/protobuf",
        timeout_ms / 1000,
        compression == "gzip",
        setting("CERTIFICATE"),
        setting("CLIENT_CERTIFICATE"),
        setting("CLIENT_KEY"),
    )


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or not url.isascii() or " " in url:
        raise ValueError(f"an OTLP endpoint is written http://host:4318 or https://, not {url}")


def _sampler(told: Mapping[str, str]) -> Sampler:
    """https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/"""
    name = told.get("OTEL_TRACES_SAMPLER", _EVERYTHING).lower()
    kind = name.removeprefix("parentbased_")
    if kind not in ("always_on", "always_off", "traceidratio"):
        raise ValueError(
            "OTEL_TRACES_SAMPLER is always_on, always_off or traceidratio, each also with "
            "parentbased_ before it"
        )
    ratio = {"always_on": 1.0, "always_off": 0.0}.get(kind)
    if ratio is None:
        ratio = _number(told, "OTEL_TRACES_SAMPLER_ARG", 1.0, 0.0)
        if ratio > 1.0:
            raise ValueError("OTEL_TRACES_SAMPLER_ARG is a share from 0 to 1")
    return Sampler(ratio, name.startswith("parentbased_"))


def _number(told: Mapping[str, str], name: str, default: float, least: float) -> float:
    try:
        number = float(told.get(name, default))
    except ValueError:
        number = float("nan")
    # A comparison with what is no number is false.
    if not least <= number < float("inf"):
        raise ValueError(f"{name} of OpenTelemetry's variables is a number of at least {least:g}")
    return number


def _pairs(told: Mapping[str, str], name: str) -> list[tuple[str, str]]:
    """`key=value,key=value`, percent-encoded, as W3C Baggage has it."""
    found: list[tuple[str, str]] = []
    for member in told.get(name, "").split(","):
        if not member.strip():
            continue
        key, separator, value = member.partition("=")
        if not separator or not key.strip():
            raise ValueError(f"{name} of OpenTelemetry's variables is written key=value,key=value")
        found.append((unquote(key.strip()), unquote(value.strip())))
    return found
