"""Token buckets: how many requests a second may pass, and how many at once. Pure, in memory.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from cumulet.services.apigateway.admission.limits import BUCKETS_MAX

_ALMOST = 1 - 1e-9
"""A whole token in floating point: requests paced at exactly the rate must all pass."""


class Rate(NamedTuple):
    """What one bucket lets through: `rate_per_second` on average, `burst` at once."""

    key: Hashable
    rate_per_second: float
    burst: int


class Buckets:
    """Buckets by key, made full when first asked for.

    When there are too many, the one asked for longest ago is forgotten: it has had the longest
    time to fill again.
    """

    def __init__(self, buckets_max: int = BUCKETS_MAX) -> None:
        self._max = buckets_max
        self._buckets: OrderedDict[Hashable, list[float]] = OrderedDict()
        """By key: the tokens left, and when they were counted."""

    def take(self, key: Hashable, rate_per_second: float, burst: int, now: float) -> bool:
        """Take one token if there is one. `now` is in seconds of a clock that never goes back.

        A changed rate or burst holds from the next call on.
        """
        bucket = self._refilled(key, rate_per_second, burst, now)
        if bucket[0] < _ALMOST:
            return False
        bucket[0] -= 1
        return True

    def take_all(self, rates: Sequence[Rate], now: float) -> int | None:
        """Take one token of every bucket, or of none; the place of the first that is empty.

        So a request that one bucket refuses costs nothing at the others.
        """
        buckets = []
        for at, (key, rate_per_second, burst) in enumerate(rates):
            bucket = self._refilled(key, rate_per_second, burst, now)
            if bucket[0] < _ALMOST:
                return at
            buckets.append(bucket)
        for bucket in buckets:
            bucket[0] -= 1
        return None

    def __len__(self) -> int:
        return len(self._buckets)

    def _refilled(
        self, key: Hashable, rate_per_second: float, burst: int, now: float
    ) -> list[float]:
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= self._max:
                self._buckets.popitem(last=False)
            bucket = self._buckets[key] = [float(burst), now]
            return bucket
        self._buckets.move_to_end(key)
        elapsed = now - bucket[1]
        if elapsed > 0:
            bucket[0] += elapsed * rate_per_second
            bucket[1] = now
        if bucket[0] > burst:
            bucket[0] = float(burst)
        return bucket
