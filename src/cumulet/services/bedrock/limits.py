"""The bounds of Bedrock here: of requests, of the waiting line before a model, and of its answers.

Follows https://docs.aws.amazon.com/bedrock/latest/userguide/quotas.html where AWS has a number.
"""

from typing import Final

MODELS_MAX: Final = 1_000
"""Entries of the models file."""
MODELS_FILE_BYTES_MAX: Final = 1_000_000

CONCURRENCY: Final = 4
CONCURRENCY_MAX: Final = 1_024
QUEUE: Final = 64
QUEUE_MAX: Final = 65_536
"""Invocations that wait for their turn; one more is throttled."""

TIMEOUT_SECONDS: Final = 120.0
"""How long a model may be silent: before its first token, and between two."""
TIMEOUT_SECONDS_MAX: Final = 3_600.0
CONNECT_SECONDS_MAX: Final = 10.0

READ_BYTES: Final = 16_384
"""Read from a model's server at once; twice as much waits before it is stopped."""
HEAD_BYTES_MAX: Final = 65_536
LINE_BYTES_MAX: Final = 1_000_000
"""Of one event of a server's stream."""
ERROR_BYTES_MAX: Final = 65_536
ERROR_CHARACTERS_MAX: Final = 1_000
"""Of what a server says of an error, as it is passed on."""
ANSWER_CHARACTERS_MAX: Final = 16_000_000
"""Of an answer that is gathered before it is sent."""
TOOL_CALLS_MAX: Final = 256

STOP_SEQUENCES_MAX: Final = 2_500
"""https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html"""
BODY_DEPTH_MAX: Final = 64

THREADS: Final = 0
"""None said: half of the processors. They wait for each other, and suffer from what else runs."""
THREADS_MAX: Final = 1_024
MEMORY_MB: Final = 2_048
CONTEXT_TOKENS: Final = 4_096
"""Of each invocation of the embedded engine, prompt and answer together."""
CONTEXT_TOKENS_MAX: Final = 1_048_576
ENGINE_START_SECONDS: Final = 120.0
ENGINE_STOP_SECONDS: Final = 5.0
ENGINE_LOG_BYTES: Final = 2_000
"""Of the engine's last words, when it did not start."""

PROFILES_PAGE: Final = 1_000
