"""What the sandbox is asked and what it answers: specs, invocations, outcomes, layers. No I/O."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

Env = Mapping[str, str]
Isolation = Literal["require", "best-effort", "none"]

RESPONSE_BYTES_MAX = 6_291_556
"""Largest buffered answer of a function, in bytes.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


class LogLine(msgspec.Struct, frozen=True):
    """A line of the function's output without its newline; `request_id` is empty during init.

    `time_ms` is epoch milliseconds. A record written by a runtime's logger may hold newlines.
    """

    request_id: str
    time_ms: int
    text: str


OnLog = Callable[[LogLine], None]


class Place(Protocol):
    """What a function's owner knows about one environment of it, made with the environment."""

    @property
    def env(self) -> Env:
        """The complete environment of the process, credentials and `AWS_LAMBDA_*` included."""
        ...

    def line(self, line: LogLine) -> None:
        """Take a line that was written during initialisation, which is no call's own."""
        ...

    def datagram(self, data: bytes) -> None:
        """Take what a process of the environment sent to the sandbox's `datagrams_to`."""
        ...


PlaceFactory = Callable[[], Awaitable[Place]]
OnPlace = Callable[[Any], None]
"""Told what the `place` of the spec has made, or a `Place` of the sandbox's own."""


@dataclass(frozen=True, slots=True, eq=False)
class FunctionSpec:
    """One version of one function, as the sandbox must run it.

    `key` names that version with its configuration: environments are shared within a key and
    never between keys. `place` is awaited at each cold start, so that credentials are made only
    then; without it an environment's variables are `env`, and what it writes during initialisation
    goes to the call it is made for. `code` is the unpacked package, seen as `/var/task`; `layers`
    are seen merged as `/opt`, later ones over earlier ones. Both are only ever read.
    `strict_runtime` refuses to run on a neighbouring runtime version.
    """

    key: str
    runtime: str
    handler: str
    code: Path
    layers: tuple[Path, ...] = ()
    env: Env = field(default_factory=dict)
    place: PlaceFactory | None = None
    memory_mb: int = 128
    timeout_ms: int = 3_000
    ephemeral_mb: int = 512
    network: bool = True
    strict_runtime: bool = False
    init_timeout_ms: int = 10_000


class Invocation(msgspec.Struct, frozen=True):
    """One event for a function.

    `deadline_ms` is an upper bound in epoch milliseconds; 0 means `timeout_ms` of the spec from the
    moment the handler starts, which is what Lambda does (initialisation is not counted).
    `client_context` and `cognito_identity` are JSON text as the Runtime API carries them.
    """

    request_id: str
    payload: bytes
    deadline_ms: int = 0
    trace_id: str = ""
    function_arn: str = ""
    client_context: str = ""
    cognito_identity: str = ""


class AsyncSink(Protocol):
    """Where a streamed response goes as it is produced. Slowness here slows the function."""

    async def begin(self, content_type: str) -> None:
        """Called once before the first byte, with the content type the runtime declared.

        `application/vnd.awslambda.http-integration-response` announces a JSON prelude (status,
        headers, cookies), eight zero bytes, then the body: taking it apart is the caller's.
        """
        ...

    async def write(self, chunk: bytes) -> None:
        """Called for each piece, in order."""
        ...


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What an invocation used: `init_ms` is None on a warm start; `billed_ms` includes init."""

    duration_ms: float
    billed_ms: int
    init_ms: float | None
    max_memory_mb: int


class Succeeded(msgspec.Struct, frozen=True):
    """The handler returned. `payload` is empty when the answer was streamed to the sink."""

    payload: bytes
    usage: Usage
    streamed: bool = False
    content_type: str = "application/json"


class Failed(msgspec.Struct, frozen=True):
    """The function failed; a value, not an exception.

    `kind` is `Unhandled` when the function's own code raised (or its runtime said so), else the
    platform's reason, which is then also `error_type`: `Runtime.ExitError`,
    `Runtime.OutOfMemory`, `Sandbox.Timedout`, `Function.ResponseSizeTooLarge`…
    `payload` is the JSON that Lambda returns. `streamed` tells that part of a response had
    already gone to the sink.
    """

    kind: str
    error_type: str
    error_message: str
    payload: bytes
    usage: Usage
    streamed: bool = False


Outcome = Succeeded | Failed


class NoCapacity(Exception):
    """No environment came free in time, and there was no room or no turn to make one."""


class RuntimeUnavailable(Exception):
    """No interpreter here runs this runtime, or strictness forbids the nearest one.

    The message is a sentence for the function's owner.
    """


class IsolationUnavailable(Exception):
    """`isolation="require"`, and this machine does not offer an essential layer; it says which."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of isolation on this machine, for people.

    `detail` says how it is done, or why it is not; `meaning` what that means for functions.
    """

    name: str
    in_force: bool
    essential: bool
    detail: str
    meaning: str


def processors() -> int:
    """How many processors this process may use, and at least two: one start may wait for another's.

    More starts at once than processors only make each of them slower.
    """
    return max(2, len(os.sched_getaffinity(0)))


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """How functions are run on this machine. `work` is a folder of the sandbox's own.

    `environments_max` bounds live environments, `starting_max` those that begin at the same time
    (none counts for longer than `starting_ms`: by then it waits for something else than this
    machine), `capacity_wait_ms` the wait for room and a turn; an idle one ends after `idle_ms`,
    any after `age_ms`. `freeze` stops a function's processes between events.
    `log_bytes_max` and `log_line_bytes_max` bound an invocation's output; `processes_max` and
    `files_max` are per environment. `spares` blank environments are kept ready per interpreter.
    `strict_runtimes` and `network` hold for every function, whatever its own description says.
    `without` names layers to leave out, for machines whose kernel has trouble with one.
    """

    work: Path
    isolation: Isolation = "best-effort"
    environments_max: int = 64
    starting_max: int = field(default_factory=processors)
    starting_ms: int = 1_000
    capacity_wait_ms: int = 5_000
    idle_ms: int = 300_000
    age_ms: int = 6 * 3_600_000
    freeze: bool = True
    log_bytes_max: int = 1_048_576
    log_line_bytes_max: int = 262_144
    processes_max: int = 1_024
    files_max: int = 1_024
    spares: int = 2
    strict_runtimes: bool = False
    network: bool = True
    without: tuple[str, ...] = ()
