"""What is told of functions: to CloudWatch, gathered here and told every second, and of usage.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from __future__ import annotations

from collections.abc import Callable

from cumulet.core import usage
from cumulet.core.context import Context, Platform
from cumulet.core.identity import Scope
from cumulet.kit.ports import Metrics, Usage
from cumulet.kit.workers.regularly import Regularly
from cumulet.sandbox import Failed, Outcome
from cumulet.sandbox import Usage as Spent
from cumulet.services.lambda_.forms.names import FunctionRef
from cumulet.services.lambda_.limits import MEASURED_MAX, MEASURED_SECONDS
from cumulet.services.lambda_.model import Version, is_label

Dimensions = tuple[tuple[str, str], ...]
Record = Callable[..., None]

_SPACE = "AWS/Lambda"
_MS = "Milliseconds"
_NONE: Dimensions = ()
# Thousands of different values a second would cost more than what they tell.
_DURATION_DECIMALS = 2
_FREE_STORAGE_MB = 512


class Gauge:
    """How many invocations run now, and how many at most since CloudWatch was told."""

    __slots__ = ("now", "peak")

    def __init__(self) -> None:
        self.now = self.peak = 0

    def up(self) -> None:
        """One more."""
        self.now += 1
        if self.now > self.peak:
            self.peak = self.now


class Whole:
    """All functions of an account and region."""

    __slots__ = ("all", "reserved_total", "unreserved")

    def __init__(self) -> None:
        self.all = Gauge()
        self.unreserved = Gauge()
        self.reserved_total = 0


class Tally:
    """Invocations of one version under one name, of which CloudWatch has not heard yet."""

    __slots__ = ("durations", "errors", "invocations")

    def __init__(self) -> None:
        self.durations: list[float] = []
        self.errors = 0
        self.invocations = 0


class Place:
    """A function under one name: unqualified, one of its versions or one of its aliases."""

    __slots__ = ("function", "ref", "resource", "tallies", "throttles", "told", "whole")

    def __init__(self, ref: FunctionRef, whole: Whole, function: Gauge) -> None:
        self.ref = ref
        self.whole = whole
        self.function = function
        self.resource = Gauge()
        self.tallies: dict[str, Tally] = {}
        self.throttles = 0
        self.told: dict[tuple[str, str], list[float]] = {}
        """What is measured more rarely, by the metric's name and unit."""


class Measures(Regularly):
    """Gathers what is measured, and tells it every second and at the end."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform.clock, MEASURED_SECONDS, "measures of functions", self.tell)
        self._platform = platform
        self._places: dict[FunctionRef, Place] = {}
        self._functions: dict[tuple[Scope, str], Gauge] = {}
        self._wholes: dict[Scope, Whole] = {}

    def begin(self, ref: FunctionRef, reserved: int | None, reserved_total: int) -> Place:
        """An invocation begins; end it with `end`, with the same reservation."""
        place = self._places.get(ref) or self._place(ref)
        place.function.up()
        place.resource.up()
        whole = place.whole
        whole.all.up()
        if reserved is None:
            whole.unreserved.up()
        whole.reserved_total = reserved_total
        return place

    def end(self, place: Place, reserved: int | None) -> None:
        """The invocation no longer runs."""
        place.function.now -= 1
        place.resource.now -= 1
        place.whole.all.now -= 1
        if reserved is None:
            place.whole.unreserved.now -= 1

    def ran(self, place: Place, version: Version, outcome: Outcome) -> None:
        """The function was run to its end."""
        tally = place.tallies.get(version.label)
        if tally is None:
            tally = place.tallies[version.label] = Tally()
        tally.invocations += 1
        tally.durations.append(round(outcome.usage.duration_ms, _DURATION_DECIMALS))
        if isinstance(outcome, Failed):
            tally.errors += 1
        if tally.invocations >= MEASURED_MAX:
            self.tell()

    def left(self, ref: FunctionRef, version: Version) -> None:
        """The function was run, and its caller left before it had ended."""
        place = self._places.get(ref) or self._place(ref)
        place.tallies.setdefault(version.label, Tally()).invocations += 1

    def throttled(self, ref: FunctionRef) -> None:
        """An invocation was refused because too many run."""
        (self._places.get(ref) or self._place(ref)).throttles += 1

    def count(self, ref: FunctionRef, name: str, value: float = 1.0, unit: str = "Count") -> None:
        """Add one value of another metric of the function."""
        place = self._places.get(ref) or self._place(ref)
        values = place.told.setdefault((name, unit), [])
        values.append(value)
        if len(values) >= MEASURED_MAX:
            self.tell()

    def _place(self, ref: FunctionRef) -> Place:
        scope, name, _ = ref
        whole = self._wholes.setdefault(scope, Whole())
        function = self._functions.setdefault((scope, name), Gauge())
        made = self._places[ref] = Place(ref, whole, function)
        return made

    def tell(self) -> None:
        """Tell CloudWatch all that waits, and how many invocations ran at once."""
        record = self._platform.need(Metrics).record_all
        for place in self._places.values():
            self._tell(place)
        for (scope, name), gauge in self._functions.items():
            _tell_peak(record, scope, (("FunctionName", name),), gauge)
        for scope, whole in self._wholes.items():
            if whole.all.peak:
                unreserved = float(whole.unreserved.peak)
                claimed = unreserved + whole.reserved_total
                record(scope, _SPACE, "UnreservedConcurrentExecutions", _NONE, [unreserved])
                record(scope, _SPACE, "ClaimedAccountConcurrency", _NONE, [claimed])
                whole.unreserved.peak = whole.unreserved.now
            _tell_peak(record, scope, _NONE, whole.all)
        # What runs keeps all of its gauges; what is idle is made anew when it is called again.
        self._places = {ref: one for ref, one in self._places.items() if one.resource.now}
        self._functions = {key: one for key, one in self._functions.items() if one.now}

    def _tell(self, place: Place) -> None:
        record = self._platform.need(Metrics).record_all
        scope, name, qualifier = place.ref
        function = (("FunctionName", name),)
        resource = (*function, ("Resource", f"{name}:{qualifier}" if qualifier else name))
        of_alias = bool(qualifier) and not is_label(qualifier)
        for label, tally in place.tallies.items():
            version = (("ExecutedVersion", label), *resource)
            errors = [1.0] * tally.errors + [0.0] * (tally.invocations - tally.errors)
            for at in (_NONE, function, resource, *((version,) if of_alias else ())):
                record(scope, _SPACE, "Invocations", at, [1.0] * tally.invocations)
                record(scope, _SPACE, "Errors", at, errors)
                record(scope, _SPACE, "Throttles", at, [0.0] * tally.invocations)
                record(scope, _SPACE, "Duration", at, tally.durations, _MS)
        for at in (_NONE, function, resource):
            record(scope, _SPACE, "Throttles", at, [1.0] * place.throttles)
            for (metric, unit), values in place.told.items():
                record(scope, _SPACE, metric, at, values, unit)
        _tell_peak(record, scope, resource, place.resource)
        place.tallies, place.told, place.throttles = {}, {}, 0


def _tell_peak(record: Record, scope: Scope, at: Dimensions, gauge: Gauge) -> None:
    if gauge.peak:
        record(scope, _SPACE, "ConcurrentExecutions", at, [float(gauge.peak)])
        gauge.peak = gauge.now


def charge(ctx: Context, ref: FunctionRef, version: Version, spent: Spent) -> None:
    """Tell what AWS charges for: the request, and memory for the time that was billed.

    The function may be of another account than its caller. https://aws.amazon.com/lambda/pricing/
    """
    settings, seconds = version.settings, spent.billed_ms / 1000
    is_arm = settings.architecture == "arm64"
    requests = usage.LAMBDA_REQUESTS_ARM if is_arm else usage.LAMBDA_REQUESTS
    gb_seconds = usage.LAMBDA_GB_SECONDS_ARM if is_arm else usage.LAMBDA_GB_SECONDS
    used, trace = ctx.need(Usage).used, ctx.trace
    scope, arn = ref.scope, ref.unqualified_arn
    used(scope, arn, requests, 1.0, trace)
    used(scope, arn, gb_seconds, settings.memory_mb / 1024 * seconds, trace)
    if settings.ephemeral_mb > _FREE_STORAGE_MB:
        extra = (settings.ephemeral_mb - _FREE_STORAGE_MB) / 1024 * seconds
        used(scope, arn, usage.LAMBDA_STORAGE_SECONDS, extra, trace)
