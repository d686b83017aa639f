"""What datapoints say of an alarm: its state, and AWS's words for the reason. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cumulet.services.cloudwatch.alarms.limits import EXTRA_PERIODS
from cumulet.services.cloudwatch.alarms.model import ALARM, OK, UNKNOWN, Verdict

COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
_TREATED = {"breaching": "Breaching", "notBreaching": "NonBreaching"}


class Window(NamedTuple):
    """The periods that are looked at: the last `wanted` of them, up to `end`, and some before.

    `unreliable` are the starts of periods with too few samples for their percentile.
    """

    end: int
    period: int
    wanted: int
    values: Mapping[int, float]
    unreliable: frozenset[int] = frozenset()

    @property
    def starts(self) -> list[int]:
        """The starts of all periods, the oldest first."""
        whole = self.wanted + EXTRA_PERIODS
        return [self.end - self.period * back for back in range(whole, 0, -1)]


def window_end(now: float, period: int) -> int:
    """Where the last whole period ends: periods under a minute end every ten seconds."""
    step = 60 if period >= 60 else 10
    return int(now) // step * step


def judge(settings: Mapping[str, Any], window: Window, current: str, now: float) -> Verdict | None:
    """What an alarm's state is to be; None to leave it as it is."""
    compare, _ = COMPARISONS[settings["ComparisonOperator"]]
    threshold = float(settings["Threshold"])
    needed = settings.get("DatapointsToAlarm") or window.wanted
    present = [one for one in window.starts if one in window.values]
    used = present[-window.wanted :]
    if settings.get("EvaluateLowSampleCountPercentile") == "ignore" and any(
        one in window.unreliable for one in used
    ):
        return None
    breaching = [one for one in used if compare(window.values[one], threshold)]
    missing = window.wanted - len(used)
    state = _state(
        _treatment(settings), window, _Counted(used, breaching, missing, needed), current
    )
    if state is None:
        return None
    reason = _reason(settings, window, used, missing, current, state)
    return Verdict(state, reason, _reason_data(settings, window, used, now))


class _Counted(NamedTuple):
    used: Sequence[int]
    breaching: Sequence[int]
    missing: int
    needed: int


def _treatment(settings: Mapping[str, Any]) -> str:
    """Alarms on DynamoDB's metrics ignore missing data, whatever they say."""
    if settings.get("Namespace") == "AWS/DynamoDB":
        return "ignore"
    treated: str = settings.get("TreatMissingData") or "missing"
    return treated


def _state(treatment: str, window: Window, counted: _Counted, current: str) -> str | None:
    used, breaching, missing, needed = counted
    if len(breaching) >= needed:
        return ALARM
    if missing == 0:
        return OK
    if treatment == "breaching":
        return ALARM if len(breaching) + missing >= needed else OK
    if treatment == "notBreaching" or len(breaching) < len(used):
        return OK
    if treatment == "ignore":
        return None
    if not used:
        return UNKNOWN
    # All that is there breaches. The oldest must be as old as the datapoints that are needed, so
    # that data which comes late or now and then does not raise an alarm too early.
    oldest = used[0]
    is_old = window.end - oldest >= needed * window.period
    return ALARM if is_old and oldest >= window.end - window.wanted * window.period else None


def _reason(
    settings: Mapping[str, Any],
    window: Window,
    used: Sequence[int],
    missing: int,
    current: str,
    state: str,
) -> str:
    if state == UNKNOWN:
        return f"Insufficient Data: {_counted(missing, 'datapoint')} {_were(missing)} unknown."
    treated = _TREATED.get(_treatment(settings), "Missing")
    tail = f"{_counted(missing, 'missing datapoint')} {_were(missing)} treated as [{treated}]"
    if not used:
        return (
            f"Threshold Crossed: no datapoints were received for {_counted(missing, 'period')} "
            f"and {tail}."
        )
    _, words = COMPARISONS[settings["ComparisonOperator"]]
    shown = ", ".join(f"{window.values[one]} ({_day(one)})" for one in reversed(used))
    is_not = "" if state == ALARM else "not "
    limit = f"{words} the threshold ({float(settings['Threshold'])})"
    needed = settings.get("DatapointsToAlarm")
    if needed is None:
        text = f"{_counted(len(used), 'datapoint')} [{shown}] {_were(len(used))} {is_not}{limit}"
        return f"Threshold Crossed: {text}{f' and {tail}' if missing else ''}."
    compare, _ = COMPARISONS[settings["ComparisonOperator"]]
    matching = [
        one for one in used if compare(window.values[one], settings["Threshold"]) == (not is_not)
    ]
    shown = ", ".join(f"{window.values[one]} ({_day(one)})" for one in reversed(matching))
    least = needed if state == ALARM else window.wanted - needed + 1
    return (
        f"Threshold Crossed: {len(matching)} out of the last {window.wanted} datapoints [{shown}] "
        f"{_were(len(matching))} {is_not}{limit}"
        f"{f' and {tail}' if missing else ''} "
        f"(minimum {_counted(least, 'datapoint')} for {current} -> {state} transition)."
    )


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _day(start: int) -> str:
    return f"{datetime.fromtimestamp(start, UTC):%d/%m/%y %H:%M:%S}"


def stamp(seconds: float) -> str:
    """A time as CloudWatch writes it in JSON texts."""
    found = datetime.fromtimestamp(seconds, UTC)
    return f"{found:%Y-%m-%dT%H:%M:%S}.{found.microsecond // 1000:03d}+0000"


def _reason_data(
    settings: Mapping[str, Any], window: Window, used: Sequence[int], now: float
) -> str:
    told: dict[str, Any] = {"version": "1.0", "queryDate": stamp(now)}
    if used:
        told["startDate"] = stamp(used[0])
    if unit := settings.get("Unit"):
        told["unit"] = unit
    if statistic := settings.get("Statistic") or settings.get("ExtendedStatistic"):
        told["statistic"] = statistic
    told |= {
        "period": window.period,
        "recentDatapoints": [window.values[one] for one in used],
        "threshold": float(settings["Threshold"]),
        "evaluatedDatapoints": [
            {"timestamp": stamp(one), "value": window.values[one]} for one in reversed(used)
        ],
    }
    return json.dumps(told, separators=(",", ":"))
