"""Event source mappings and how far a stream was read, as records."""

from __future__ import annotations

import msgspec

ENABLED, DISABLED = "Enabled", "Disabled"


class Mapping(msgspec.Struct, frozen=True):
    """A queue or stream that feeds a function.

    `function` is its name, `qualifier` a version or alias or "". Times are epoch seconds,
    `window_seconds` how long a batch gathers. -1 as a bound means none; 0 as `concurrency_max`,
    too.
    """

    uuid: str
    source_arn: str
    function: str
    qualifier: str
    modified_at: float
    batch_size: int
    enabled: bool = True
    window_seconds: int = 0
    filters: tuple[str, ...] = ()
    reports_items: bool = False
    concurrency_max: int = 0
    starting_position: str = ""
    starting_timestamp: float = 0.0
    parallelization: int = 1
    bisects: bool = False
    record_age_seconds_max: int = -1
    retries_max: int = -1
    tumbling_seconds: int = 0
    on_failure: str = ""
    created_at: float = 0.0
    tags: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def is_stream(self) -> bool:
        """Whether records are read in order and stay where they are, as in a table's stream."""
        return ":dynamodb:" in self.source_arn

    @property
    def state(self) -> str:
        """AWS's word."""
        return ENABLED if self.enabled else DISABLED


class Checkpoint(msgspec.Struct, frozen=True):
    """How far a shard was read: behind `sequence`, or from `iterator` when nothing was read yet.

    `window_start` and `state` are those of the tumbling window that is open (0: none is).
    """

    mapping: str
    shard: str
    sequence: str = ""
    iterator: str = ""
    window_start: float = 0.0
    state: bytes = b"{}"
