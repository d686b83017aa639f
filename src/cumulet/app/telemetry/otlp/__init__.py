"""OpenTelemetry's protocol (OTLP) over HTTP: what is told, how it is written and sent."""
