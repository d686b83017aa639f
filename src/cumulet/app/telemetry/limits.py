"""Every bound of telemetry, by name. Those of the standard carry its link."""

from __future__ import annotations

QUEUE_TRACES_MAX = 2_048
"""Requests that wait to be exported; one more is dropped and counted.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#batch-span-processor
"""

BATCH_SPANS_MAX = 512
"""Spans sent at once; same page. The spans of one request stay together, so that it may be more."""

ATTRIBUTE_CHARACTERS_MAX = 1_024
"""A longer text is cut."""

ATTRIBUTES_MAX = 128
"""Of one span. https://opentelemetry.io/docs/specs/otel/common/#configurable-parameters"""

ATTEMPTS_MAX = 6
"""How often one batch is sent before it is given up."""

BACK_OFF_SECONDS_MIN = 1.0
BACK_OFF_SECONDS_MAX = 30.0
RETRY_AFTER_SECONDS_MAX = 120.0
"""A receiver that asks for more is asked again after this."""

STOP_SECONDS = 5.0
"""How long a stop waits for what was not sent yet."""

TOLD_SECONDS = 60.0
"""What was dropped is said once in this time, with its count."""

SLICE = 16
"""Requests, or series, put together before other work has its turn."""

REST = 3.0
"""After each slice of requests the exporter rests so many times as long as it took: it never has
more than a quarter of the processor. What comes faster than that is dropped and counted."""

METRICS_SECONDS_MIN = 0.1
"""Metrics are sent at most so often."""

SERIES_MAX = 5_000
"""Series of AWS's metrics, kept together for all services; those beyond are dropped and counted."""

OWN_SERIES_MAX = 2_000
"""Series of the requests of this cloud."""

IDLE_SECONDS = 3_600.0
"""A series that nobody added to for so long makes room for a new one."""

GAUGE_SECONDS = 300.0
"""A gauge is told for so long after it was measured: the queue that it speaks of may be gone."""

EVICT_SECONDS = 10.0
"""How often idle series are looked for when there is no room."""

TOKEN_CHARACTERS_MIN = 16
"""Of the token that opens the page of metrics."""

ANSWER_WORDS_MAX = 200
"""Characters of a receiver's refusal that are logged."""
