"""What five systems would cost on AWS in a month of 30 days, by their loads. Pure.

Each amount says what it was assumed to come from; `docs/concepts/costs.md` shows the totals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from cumulet.core import usage
from cumulet.core.usage import Dimension
from cumulet.services.ce.pricing import cost_of

_DAYS = 30
_MINUTES = _DAYS * 24 * 60
_MILLION = 1_000_000


class Need(NamedTuple):
    """How much of a dimension a system uses in a month, and why."""

    dimension: Dimension
    amount: float
    because: str


class Costing(NamedTuple):
    """A need with its cost in US dollars; None where there is no price."""

    need: Need
    cost: float | None


def _functions(count: float, memory_mb: int, seconds: float, what: str) -> tuple[Need, Need]:
    size = f"{count:,.0f} {what}"
    return (
        Need(usage.LAMBDA_REQUESTS, count, size),
        Need(
            usage.LAMBDA_GB_SECONDS,
            count * memory_mb / 1024 * seconds,
            f"{size} of {seconds:g} s with {memory_mb} MB",
        ),
    )


def _logs(lines: float, kilobytes: float) -> tuple[Need, Need]:
    amount = lines * kilobytes / 1_048_576
    said = f"{kilobytes:g} KB of log for each of {lines:,.0f} invocations"
    return (
        Need(usage.LOGS_IN, amount, said),
        Need(usage.LOGS_STORAGE, amount, "a month of logs is kept"),
    )


_CALLS = 2_000 * _DAYS
_POLLS = 3
_VOICE = (
    Need(usage.REST_REQUESTS, _CALLS * (1 + _POLLS), f"2,000 calls a day, {_POLLS} polls each"),
    *_functions(_CALLS, 512, 3.0, "payloads stored and sent to the engine"),
    *_functions(_CALLS * _POLLS, 256, 0.5, "polls"),
    *_functions(_CALLS, 256, 1.0, "files cleaned up"),
    Need(usage.S3_TIER1, _CALLS * 2, "a recording and a result put for each call"),
    Need(usage.S3_TIER2, _CALLS, "the result read once for each call"),
    Need(usage.S3_STORAGE, 11 / 24, "11 GB a day, each kept for an hour"),
    Need(usage.WRITE_UNITS, _CALLS * 2, "an item put and deleted for each call"),
    Need(usage.READ_UNITS, _CALLS * _POLLS * 0.5, "an eventually consistent read for each poll"),
    *_logs(_CALLS * (2 + _POLLS), 1.0),
)

_REQUESTS = 1_000 * 20
_PIECES = 60
_CHAT = (
    Need(usage.ACTIVE_USERS, 1_000, "1,000 users sign in"),
    Need(usage.REST_REQUESTS, _REQUESTS, "20 questions of each user"),
    *_functions(_REQUESTS, 256, 0.1, "quotas checked"),
    *_functions(_REQUESTS, 256, 5.0, "answers streamed"),
    *_functions(_REQUESTS * 2, 128, 0.05, "connections made and ended"),
    Need(usage.SQS_REQUESTS, _REQUESTS * 3 + 5 * _MINUTES * 3, "3 each, 5 pollers of 20 s"),
    Need(usage.WRITE_UNITS, _REQUESTS * 5, "quota, connection and what was missed"),
    Need(usage.READ_UNITS, _REQUESTS * 3, "quota and connection"),
    Need(usage.SOCKET_MESSAGES, _REQUESTS * _PIECES, f"{_PIECES} pieces of an answer"),
    Need(usage.SOCKET_MINUTES, _REQUESTS * 5, "5 minutes connected for each question"),
    Need(usage.model_tokens("amazon.nova-micro-v1:0", out=False), _REQUESTS * 0.4, "400 tokens in"),
    Need(usage.model_tokens("amazon.nova-micro-v1:0", out=True), _REQUESTS * 0.3, "300 tokens out"),
    *_logs(_REQUESTS * 4, 1.0),
)

_SCORES = 250 * _MINUTES
_RECORDS = 16 * _MILLION
_SCORE_GB = _RECORDS * 500 / usage.GIB
_DRIVING = (
    Need(usage.REST_REQUESTS, _SCORES, "250 requests a minute on average"),
    *_functions(_SCORES, 256, 0.2, "scores looked up"),
    Need(usage.READ_UNITS, _SCORES * 0.5, "one eventually consistent read each"),
    Need(usage.WRITE_UNITS, _RECORDS * 2, "16 million records loaded once, in two regions"),
    Need(usage.TABLE_STORAGE, _SCORE_GB * 2, "400 bytes a record and 100 of overhead, twice"),
    Need(usage.DASHBOARDS, 1, "a dashboard"),
    Need(usage.ALARMS, 4, "four alarms"),
    *_logs(_SCORES, 0.7),
)

_VISITS = 10_000
_FIRST = (
    Need(usage.REST_REQUESTS, _VISITS, "10,000 requests"),
    *_functions(_VISITS, 128, 0.05, "requests answered"),
    Need(usage.WRITE_UNITS, _VISITS * 3, "an item with two indexes written each time"),
    Need(usage.READ_UNITS, _VISITS * 0.5, "one read each"),
    Need(usage.TABLE_STORAGE, 0.01, "10 MB in the table"),
    Need(usage.S3_TIER2, _VISITS * 3, "three files of the page each time"),
    Need(usage.S3_OUT, _VISITS * 100 / 1_048_576, "100 KB of page each time"),
    *_logs(_VISITS, 0.5),
)

_UPLOADS = 1_000 * 10
_MEDIA = (
    Need(usage.REST_REQUESTS, _UPLOADS * 3, "a login, an upload and a list for each file"),
    *_functions(_UPLOADS * 3, 512, 0.1, "requests answered"),
    *_functions(_UPLOADS, 256, 0.1, "uploads recorded"),
    Need(usage.WRITE_UNITS, _UPLOADS * 2, "a record of each file, and of each session"),
    Need(usage.READ_UNITS, _UPLOADS * 3, "users and lists"),
    Need(usage.S3_TIER1, _UPLOADS * 5, "20 MB in three parts, begun and completed"),
    Need(usage.S3_TIER2, _UPLOADS, "each file read once"),
    Need(usage.S3_OUT, _UPLOADS * 20 / 1024, "each file of 20 MB read once"),
    Need(usage.S3_STORAGE, _UPLOADS * 20 / 1024, "a month of files is kept"),
    *_logs(_UPLOADS * 4, 1.0),
)

EXAMPLES: Mapping[str, tuple[str, tuple[Need, ...]]] = {
    "voice-quality": ("2,000 calls and 11 GB of audio a day", _VOICE),
    "streaming-chat": ("1,000 users with 20 questions a month each", _CHAT),
    "driving-score": ("250 requests a minute over 16 million records", _DRIVING),
    "first-microservice": ("10,000 requests a month", _FIRST),
    "media-upload": ("1,000 users with 10 files of 20 MB a month each", _MEDIA),
}
"""What each is asked to do, and what it needs for it."""


def cost_example(name: str, region: str, *, free_tier: bool = False) -> list[Costing]:
    """What each need of a system costs; needs of one dimension share its tiers and free tier.

    Raises KeyError when there is no such system.
    """
    _, needs = EXAMPLES[name]
    totals: dict[Dimension, float] = {}
    for need in needs:
        totals[need.dimension] = totals.get(need.dimension, 0.0) + need.amount
    found = []
    for need in needs:
        total = totals[need.dimension]
        cost = cost_of(region, need.dimension, total, free_tier=free_tier)
        found.append(Costing(need, None if cost is None else cost * need.amount / total))
    return found


def total_of(costings: list[Costing]) -> float:
    """The sum of what has a price."""
    return sum(one.cost or 0.0 for one in costings)
