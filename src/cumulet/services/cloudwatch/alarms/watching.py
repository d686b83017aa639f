"""Background work of alarms: evaluation by the clock, their actions, and the end of old history."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context, Platform
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope, root_principal
from cumulet.core.trace import log_cause
from cumulet.kit.workers import Worker
from cumulet.kv.contract import Store, Transaction
from cumulet.services.cloudwatch.alarms import store
from cumulet.services.cloudwatch.alarms.acting import AlarmDeliveries, moment_of
from cumulet.services.cloudwatch.alarms.changing import apply_verdict, step_composite
from cumulet.services.cloudwatch.alarms.evaluating import Window, judge, window_end
from cumulet.services.cloudwatch.alarms.limits import (
    EXTRA_PERIODS,
    HISTORY_SECONDS,
    LATE_SECONDS,
    LOOK_AGAIN_SECONDS,
    SHORT_STEP_SECONDS,
    STEP_SECONDS,
)
from cumulet.services.cloudwatch.alarms.model import UNKNOWN, Alarm, Verdict, Watch
from cumulet.services.cloudwatch.alarms.settings import query_period
from cumulet.services.cloudwatch.metrics.reading import answer_queries, read_figures

_HOUR_SECONDS = 3_600.0
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)\Z")


def next_due(now: float, period: int) -> float:
    """When an alarm of that period is evaluated next: a little after a minute has ended."""
    step = STEP_SECONDS if period >= STEP_SECONDS else SHORT_STEP_SECONDS
    return float((int(now - LATE_SECONDS) // step + 1) * step + LATE_SECONDS)


async def evaluate_due(platform: Platform) -> float:
    """Evaluate the alarms that are due; gives the seconds until the next one is."""
    for watch in await platform.transact(store.next_watches, store.NOWHERE):
        wait = watch.due - platform.clock.now()
        if wait > 0:
            return min(wait, LOOK_AGAIN_SECONDS)
        await _evaluate(platform, watch)
    found = await platform.transact(store.next_watches, store.NOWHERE)
    return 0.0 if found and found[0].due <= platform.clock.now() else _wait(platform, found)


def _wait(platform: Platform, found: list[Watch]) -> float:
    if not found:
        return LOOK_AGAIN_SECONDS
    return max(0.0, min(found[0].due - platform.clock.now(), LOOK_AGAIN_SECONDS))


async def _evaluate(platform: Platform, watch: Watch) -> None:
    """Evaluate one alarm, and say when it comes again, in one transaction."""
    scope = watch.scope
    moment = moment_of(platform.clock, platform.need(AlarmDeliveries))
    now = moment.now

    async def load(tx: Transaction, scope: Scope) -> Alarm | None:
        return await store.ALARMS.load(tx, scope, watch.name)

    seen = await platform.transact(load, scope)
    verdict: Verdict | None = None
    if seen is not None and not seen.is_composite:
        ctx = platform.context(scope, root_principal(scope.account))
        verdict = await _verdict(ctx, seen, now)

    async def write(tx: Transaction, scope: Scope) -> None:
        alarm = await store.ALARMS.load(tx, scope, watch.name)
        if alarm is None:
            await store.unwatch(tx, scope, watch.name)
            return
        if alarm.is_composite:
            due = await step_composite(tx, scope, moment, alarm)
            if due is None:
                await store.unwatch(tx, scope, watch.name)
            else:
                await store.watch(tx, scope, watch.name, due)
            return
        # What was put or set in the meantime is judged the next time.
        if verdict is not None and alarm == seen and verdict.state != alarm.state:
            await apply_verdict(tx, scope, moment, alarm, verdict)
        await store.watch(tx, scope, alarm.name, next_due(now, query_period(alarm.settings)))

    await platform.transact(write, scope)


async def _verdict(ctx: Context, alarm: Alarm, now: float) -> Verdict | None:
    settings = alarm.settings
    period = query_period(settings)
    count = settings["EvaluationPeriods"]
    end = window_end(now, period)
    begin = end - period * (count + EXTRA_PERIODS)
    try:
        if settings.get("Metrics"):
            answered = await answer_queries(ctx, settings["Metrics"], begin, end, origin=end)
            told = next(one for one in settings["Metrics"] if one.get("ReturnData", True))
            values = dict(answered[told["Id"]][0].points) if answered[told["Id"]] else {}
            window = Window(end, period, count, values)
        else:
            window = await _window(ctx, settings, begin, end)
    except AwsError as error:
        return Verdict(UNKNOWN, f"Failed to evaluate: {error.message}"[:1_023], "")
    except Exception as cause:
        # One alarm that cannot be evaluated must not keep the others from it.
        log_cause("", "alarm not evaluated", cause, alarm=alarm.name)
        return None
    return judge(settings, window, alarm.state, now)


async def _window(ctx: Context, settings: Mapping[str, Any], begin: int, end: int) -> Window:
    name = settings.get("Statistic") or settings["ExtendedStatistic"]
    stat: dict[str, Any] = {"Metric": settings, "Period": settings["Period"], "Stat": name}
    if "Unit" in settings:
        stat["Unit"] = settings["Unit"]
    figures = await read_figures(ctx, stat, begin, end)
    needed = _samples_needed(name)
    few = frozenset(start for start, count in figures.samples.items() if count < needed)
    return Window(end, settings["Period"], settings["EvaluationPeriods"], figures.values, few)


def _samples_needed(statistic: str) -> float:
    """How many samples make a percentile mean something.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html
    """
    found = _PERCENTILE.match(statistic)
    if found is None:
        return 0.0
    share = float(found[1]) / 100
    rest = min(share, 1 - share)
    return 10 / rest if rest > 0 else 0.0


async def _act(platform: Platform) -> float:
    return await platform.need(AlarmDeliveries).step()


async def _expire(platform: Platform) -> float:
    """Remove history that is older than CloudWatch keeps it."""
    kv = platform.need(Store)
    before = platform.clock.now() - HISTORY_SECONDS
    more = False
    for scope in await kv.transact(store.HISTORY.scopes):
        more |= await platform.transact(store.expire_history, scope, before)
    return 0.0 if more else _HOUR_SECONDS


WORKERS = (
    Worker("alarms", evaluate_due, wakes_on=store.WATCHES.prefix(store.NOWHERE)),
    Worker("alarm actions", _act, wakes_on=store.QUEUE.wakes_on),
    Worker("alarm history", _expire),
)
