"""OpenTelemetry's variables, read."""

from __future__ import annotations

from pathlib import Path

import pytest

from cumulet.app.telemetry.settings import Sampler, parse_settings, read_token

BOTH = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://host:4318/"}


def test_nothing_is_told_unless_an_endpoint_is_named():
    settings = parse_settings({"OTEL_SERVICE_NAME": "x", "OTEL_EXPORTER_OTLP_TIMEOUT": "soon"})
    assert (settings.traces, settings.metrics, settings.measures) == (None, None, False)


def test_the_shared_endpoint_gets_a_path_and_a_signals_own_is_taken_as_it_is():
    settings = parse_settings({**BOTH, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "https://m/in"})
    assert settings.traces is not None
    assert settings.metrics is not None
    assert settings.traces.url == "http://host:4318/v1/traces"
    assert settings.metrics.url == "https://m/in"


def test_the_option_goes_before_the_variables():
    own = {**BOTH, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://other/t"}
    settings = parse_settings(own, "http://here:4318")
    assert settings.traces is not None
    assert settings.traces.url == "http://here:4318/v1/traces"


def test_a_signals_own_variables_go_before_the_shared_ones():
    settings = parse_settings(
        {
            **BOTH,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
            "OTEL_EXPORTER_OTLP_HEADERS": "a=1, b=%20x",
            "OTEL_EXPORTER_OTLP_METRICS_HEADERS": "c=2",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "2500",
        }
    )
    assert settings.traces is not None
    assert settings.metrics is not None
    assert (settings.traces.protocol, settings.metrics.protocol) == ("http/protobuf", "http/json")
    assert settings.traces.headers == (("a", "1"), ("b", " x"))
    assert settings.metrics.headers == (("c", "2"),)
    assert settings.traces.timeout_seconds == 2.5
    assert "%20x" not in repr(settings)


@pytest.mark.parametrize("signal", ["TRACES", "METRICS"])
def test_one_signal_can_be_left_out(signal: str):
    settings = parse_settings({**BOTH, f"OTEL_{signal}_EXPORTER": "none"})
    assert (settings.traces is None) is (signal == "TRACES")
    assert (settings.metrics is None) is (signal == "METRICS")


@pytest.mark.parametrize(
    ("name", "argument", "sampler"),
    [
        ("", "", Sampler(1.0, True)),
        ("always_off", "", Sampler(0.0, False)),
        ("parentbased_traceidratio", "0.25", Sampler(0.25, True)),
        ("traceidratio", "0.5", Sampler(0.5, False)),
    ],
)
def test_samplers_are_opentelemetrys(name: str, argument: str, sampler: Sampler):
    told = {**BOTH, "OTEL_TRACES_SAMPLER": name, "OTEL_TRACES_SAMPLER_ARG": argument}
    assert parse_settings(told).sampler == sampler


@pytest.mark.parametrize(
    "more",
    [
        {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4318"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://[::1"},
        {"OTEL_EXPORTER_OTLP_HEADERS": "no-sign"},
        {"OTEL_EXPORTER_OTLP_TIMEOUT": "nan"},
        {"OTEL_BSP_MAX_QUEUE_SIZE": "0"},
        {"OTEL_TRACES_SAMPLER": "jaeger_remote"},
        {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "2"},
        {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta"},
        {"OTEL_TRACES_EXPORTER": "zipkin"},
    ],
)
def test_what_means_nothing_is_refused_with_a_sentence(more: dict[str, str]):
    with pytest.raises(ValueError, match=r"\w+ .*\w+"):
        parse_settings({**BOTH, **more})


@pytest.mark.parametrize("content", ["", "short", "has a space in it, so it is no token"])
def test_a_token_that_could_be_guessed_is_refused(tmp_path: Path, content: str):
    path = tmp_path / "token"
    path.write_text(content)
    with pytest.raises(ValueError, match="at least 16 characters"):
        read_token(path)


def test_the_token_is_the_first_line(tmp_path: Path):
    path = tmp_path / "token"
    path.write_text("0123456789abcdef\r\n# old: x\n")
    assert read_token(path) == "0123456789abcdef"
