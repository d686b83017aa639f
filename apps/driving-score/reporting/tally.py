"""What is counted of the calls of one method of one stage."""

from collections import Counter
from dataclasses import dataclass, field

LIMIT_MS = 1000
AIM = 0.998
PERCENTILES = (50, 95, 99, 99.8)


@dataclass
class Day:
    """The calls of a day, and how many of them were answered too late."""

    calls: int = 0
    late: int = 0
    p99: float = 0.0


@dataclass
class Figures:
    """The service level of one method: what tables and charts show."""

    stage: str
    method: str
    calls: int
    late: int
    client_errors: int
    server_errors: int
    percentiles: dict
    days: dict

    @property
    def name(self):
        return f"{self.stage} {self.method}"

    @property
    def share_in_time(self):
        return 1 - self.late / self.calls if self.calls else 1.0

    def told(self):
        """What a program wants to know of it; shares from 0 to 1, latencies in milliseconds."""
        return {
            "stage": self.stage,
            "method": self.method,
            "calls": self.calls,
            "clientErrors": self.client_errors,
            "serverErrors": self.server_errors,
            "late": self.late,
            "shareLate": self.late / self.calls if self.calls else 0.0,
            "reached": self.share_in_time >= AIM,
            "latencyMs": {f"p{rank}": value for rank, value in self.percentiles.items()},
            "days": [
                {"day": at.isoformat(), "calls": day.calls, "late": day.late, "p99Ms": day.p99}
                for at, day in self.days.items()
            ],
        }


@dataclass
class Tally:
    """Counts calls one by one. Latencies are whole milliseconds: few numbers hold all of them."""

    latencies: dict = field(default_factory=dict)
    client_errors: int = 0
    server_errors: int = 0

    def count(self, day, latency_ms, status):
        self.latencies.setdefault(day, Counter())[latency_ms] += 1
        self.client_errors += 400 <= status < 500
        self.server_errors += status >= 500

    def figures(self, stage, method):
        whole = sum(self.latencies.values(), Counter())
        days = {
            day: Day(some.total(), late_of(some), percentile(some, 99))
            for day, some in sorted(self.latencies.items())
        }
        return Figures(
            stage,
            method,
            whole.total(),
            late_of(whole),
            self.client_errors,
            self.server_errors,
            {rank: percentile(whole, rank) for rank in PERCENTILES},
            days,
        )


def late_of(latencies):
    """How many took longer than the limit."""
    return sum(count for latency, count in latencies.items() if latency > LIMIT_MS)


def percentile(latencies, rank):
    """The smallest latency within which `rank` per cent of the calls were answered."""
    # In thousandths, so that 99.8 per cent of a thousand calls is 998 of them exactly.
    wanted = -(-latencies.total() * round(rank * 1000) // 100_000)
    seen = 0
    for latency in sorted(latencies):
        seen += latencies[latency]
        if seen >= wanted:
            return latency
    return 0
