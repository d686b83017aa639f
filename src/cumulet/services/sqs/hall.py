"""What the operations on queues share in memory: queues by name, their lines, and the sequence."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, urlsplit

from cumulet.core.context import Context, Platform
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope
from cumulet.kit.policy import parse_policy
from cumulet.kit.service import OwnedPolicies
from cumulet.kv.cache import CachedView
from cumulet.kv.contract import Store, Transaction
from cumulet.services.sqs.errors import no_queue
from cumulet.services.sqs.limits import (
    IN_FLIGHT_MAX,
    LINES_MAX,
    RECEIVE_MAX,
    URL_REMEMBERED_CHARACTERS_MAX,
    URLS_REMEMBERED_MAX,
)
from cumulet.services.sqs.model import Queue, queue_arn
from cumulet.services.sqs.store.line import Lines
from cumulet.services.sqs.store.tables import QUEUES

_SCOPES_MAX = 1_000
_NODE_BITS = 10
_COUNT_AFTER = IN_FLIGHT_MAX // RECEIVE_MAX // 2
"""Receives of a queue before its messages in flight are first counted."""
Request = dict[str, Any]


class QueueHall:
    """Queues that are in use, ready in memory until they change."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._store = platform.need(Store)
        self._views: OrderedDict[Scope, CachedView[str, tuple[Queue, OwnedPolicies] | None]]
        self._views = OrderedDict()
        self._last = 0
        self._node = int.from_bytes(platform.clock.random_bytes(2), "big") >> (16 - _NODE_BITS)
        self.lines = Lines(self._store)
        self._receives: dict[str, int] = {}

    async def find(self, scope: Scope, name: str) -> tuple[Queue, OwnedPolicies] | None:
        """A queue and the policies on it, or None."""
        view = self._views.get(scope)
        if view is None:
            view = self._views[scope] = self._view(scope)
            if len(self._views) > _SCOPES_MAX:
                self._views.popitem(last=False)[1].close()
        return await view.get(name)

    def _view(self, scope: Scope) -> CachedView[str, tuple[Queue, OwnedPolicies] | None]:
        async def load(name: str) -> tuple[Queue, OwnedPolicies] | None:
            async def read(tx: Transaction, scope: Scope) -> Queue | None:
                return await QUEUES.load(tx, scope, name)

            queue = await self._platform.transact(read, scope)
            if queue is None:
                return None
            text = queue.attributes.get("Policy")
            policies = (parse_policy(queue_arn(scope, name), text),) if text else ()
            return queue, OwnedPolicies(scope.account, policies)

        return CachedView(self._store, QUEUES.prefix(scope), load)

    def next_sequence(self, count: int = 1) -> int:
        """The first of `count` numbers that grow with every call, also over restarts.

        The low bits tell processes on one store apart, so that no two messages share a number.
        """
        now = int(self._platform.clock.now() * 1e6)
        first = max(self._last + 1, now)
        self._last = first + count - 1
        return first << _NODE_BITS | self._node

    @staticmethod
    def time_of(sequence: int) -> float:
        """When a message with this number came into its queue, in epoch seconds."""
        return (sequence >> _NODE_BITS) / 1e6

    def is_time_to_count(self, uid: str) -> bool:
        """Whether so many receives have passed that the messages in flight must be counted."""
        left = self._receives.get(uid, _COUNT_AFTER) - 1
        if len(self._receives) >= LINES_MAX and uid not in self._receives:
            self._receives.clear()
        self._receives[uid] = left
        return left < 0

    def counted(self, uid: str, flying: int) -> None:
        """How many are in flight now: a receive takes ten at most, so it is known when to look."""
        self._receives[uid] = max(0, (IN_FLIGHT_MAX - flying) // RECEIVE_MAX)

    @staticmethod
    def step(sequence: int, number: int) -> int:
        """The number that comes `number` after `sequence`."""
        return sequence + (number << _NODE_BITS)


def provides(platform: Platform) -> Mapping[type, Any]:
    """The part that every operation on queues uses."""
    return {QueueHall: QueueHall(platform)}


def address_of(ctx: Context, url: str) -> tuple[Scope, str]:
    """The account and name at the end of a queue's URL. Raises InvalidAddress."""
    parse = _parsed if len(url) <= URL_REMEMBERED_CHARACTERS_MAX else _parsed.__wrapped__
    account, name = parse(url)
    if not name:
        raise AwsError(f"The address {url} is not valid for this endpoint.", code="InvalidAddress")
    return Scope(account or ctx.scope.account, ctx.scope.region), name


@lru_cache(URLS_REMEMBERED_MAX)
def _parsed(url: str) -> tuple[str, str]:
    """The account in a queue's URL and the name, "" for none."""
    parts = urlsplit(url).path.rstrip("/").split("/")
    if len(parts) >= 3 and parts[-2].isdigit() and len(parts[-2]) == 12:
        return parts[-2], unquote(parts[-1])
    # A bare name is taken as a queue of the caller's own, as AWS does.
    is_bare = len(parts) == 1 and ":" not in url
    return "", unquote(parts[0]) if is_bare else ""


def url_of(ctx: Context, scope: Scope, name: str) -> str:
    """The URL by which clients name a queue."""
    return f"{ctx.endpoint}/{scope.account}/{name}"


async def find_queue(ctx: Context, url: str) -> tuple[Scope, Queue]:
    """The queue at a URL and whose it is. Raises QueueDoesNotExist."""
    scope, name = address_of(ctx, url)
    found = await ctx.need(QueueHall).find(scope, name)
    if found is None:
        raise no_queue()
    return scope, found[0]


def queue_resource(ctx: Context, request: Request) -> str:
    """The queue of a request, as IAM's resource."""
    scope, name = address_of(ctx, request["QueueUrl"])
    return queue_arn(scope, name)


async def queue_policy(ctx: Context, request: Request) -> OwnedPolicies:
    """The queue's owner and policy, before any permission is asked for. Raises QueueDoesNotExist.

    The caller of another account learns no more than that: AWS answers both alike.
    """
    scope, name = address_of(ctx, request["QueueUrl"])
    found = await ctx.need(QueueHall).find(scope, name)
    if found is None:
        raise no_queue()
    return found[1]
