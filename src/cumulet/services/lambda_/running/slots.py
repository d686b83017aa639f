"""Slots: room for one environment each, so that every environment has a log stream of its own.

The sandbox shares environments within a key; a slot has a key to itself and serves one invocation
at a time. The slot used last is taken first, as its environment is the warmest.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

from cumulet.core.clock import Clock, new_hex
from cumulet.kit.ports import LogSink
from cumulet.sandbox import FunctionSpec
from cumulet.services.lambda_.model import Version
from cumulet.services.lambda_.running.log import InvocationLog
from cumulet.services.lambda_.running.session import Session


class Slot:
    """One slot. `instance` and `stream` are renewed when its environment is.

    `log` is that of the invocation in hand.
    """

    __slots__ = ("_clock", "_label", "_variables", "_warning", "instance", "log", "spec", "stream")

    def __init__(
        self, clock: Clock, spec: FunctionSpec, label: str, variables: dict[str, str], warning: str
    ) -> None:
        self._clock = clock
        self._label = label
        self._variables = variables
        self._warning = warning
        self.instance = ""
        self.stream = ""
        self.log: InvocationLog | None = None
        key = f"{spec.key}{new_hex(clock, 16)}"
        self.spec = dataclasses.replace(spec, key=key, env=self._begin)
        self.renew()

    def renew(self) -> None:
        """Name the environment that is made now: `2026/01/31/[$LATEST]` and 32 digits."""
        day = datetime.fromtimestamp(self._clock.now(), UTC)
        self.instance = new_hex(self._clock, 32)
        self.stream = f"{day:%Y/%m/%d}/[{self._label}]{self.instance}"

    async def _begin(self) -> dict[str, str]:
        """The sandbox makes an environment: give its variables, and tell the log."""
        if self.log is not None and not self.log.is_cold:
            self.renew()
            self.log.begin_init(self._warning)
        return {**self._variables, "AWS_LAMBDA_LOG_STREAM_NAME": self.stream}


class Runnable:
    """A version made ready: its session, its slots, and until when its credentials serve."""

    def __init__(
        self,
        clock: Clock,
        version: Version,
        session: Session,
        spec: FunctionSpec,
        variables: dict[str, str],
        warning: str,
        sink: LogSink | None,
        renew_at: float,
    ) -> None:
        self.revision = version.revision
        self.session = session
        self.spec = spec
        self.sink = sink
        self.renew_at = renew_at
        self._clock = clock
        self._label = version.label
        self._variables = variables
        self._warning = warning
        self._free: list[Slot] = []

    def take(self) -> Slot:
        """A free slot, the warmest first; there are as many as ever ran at once."""
        if self._free:
            return self._free.pop()
        return Slot(self._clock, self.spec, self._label, self._variables, self._warning)

    def give(self, slot: Slot, *, is_warm: bool) -> None:
        """The invocation is over; a slot whose environment died is taken last."""
        slot.log = None
        if is_warm:
            self._free.append(slot)
        else:
            self._free.insert(0, slot)
