"""Queues: make, find, list, describe, change, purge, delete."""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope, parse_arn
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.sqs.errors import (
    InvalidAttributeName,
    InvalidParameterValueException,
    PurgeQueueInProgress,
    QueueDeletedRecently,
    QueueNameExists,
    invalid_value,
    no_queue,
)
from cumulet.services.sqs.hall import (
    address_of,
    find_queue,
    queue_policy,
    queue_resource,
    url_of,
)
from cumulet.services.sqs.limits import DELETED_SECONDS, LIST_MAX, PURGE_SECONDS, TAGS_MAX
from cumulet.services.sqs.model import DeletedQueue, Queue, queue_arn
from cumulet.services.sqs.rules.attributes import (
    allows_redrive,
    check_attributes,
    check_name,
    parse_redrive,
    redrive_policy,
    shown_attributes,
    with_plain_flags,
)
from cumulet.services.sqs.store.tables import DELETED, QUEUES, clear_queue, count_messages

Request = dict[str, Any]

_COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
_FACTS = ("QueueArn", "CreatedTimestamp", "LastModifiedTimestamp")


def named_resource(ctx: Context, request: Request) -> str:
    """The queue that a request names, as IAM's resource."""
    account = request.get("QueueOwnerAWSAccountId") or ctx.scope.account
    return queue_arn(Scope(account, ctx.scope.region), request["QueueName"])


@operation("CreateQueue", resource=named_resource)
async def create_queue(ctx: Context, request: Request) -> dict[str, Any]:
    """Make a queue; the same name with the same attributes answers the queue that is there."""
    name = request["QueueName"]
    attributes = with_plain_flags(request.get("Attributes") or {})
    tags = dict(request.get("tags") or {})
    check_name(name, attributes.get("FifoQueue") == "true")
    check_attributes(attributes, ctx.scope, name=name, is_new=True)
    if len(tags) > TAGS_MAX:
        raise InvalidParameterValueException(f"Too many tags added for queue {name}.")
    now = ctx.clock.now()
    made = Queue(name, new_label(ctx.clock, 16), int(now), int(now), attributes, tags)
    await _check_redrive(ctx, made)
    outcome = await ctx.transact(_insert, made, now)
    if isinstance(outcome, str):
        raise QueueNameExists(
            "A queue already exists with the same name and a different value for attribute "
            f"{outcome}"
        )
    if outcome is None:
        raise QueueDeletedRecently(
            f"You must wait {DELETED_SECONDS} seconds after deleting a queue before you can "
            "create another with the same name."
        )
    return {"QueueUrl": url_of(ctx, ctx.scope, name)}


async def _insert(tx: Transaction, scope: Scope, made: Queue, now: float) -> Queue | str | None:
    """The queue; or the name of the attribute that differs; or None when the name rests."""
    there = await QUEUES.load(tx, scope, made.name)
    if there is not None:
        has = shown_attributes(there)
        for key, value in made.attributes.items():
            if has.get(key) != value:
                return key
        return there
    for gone in await DELETED.lookup(tx, scope, "name", made.name, limit=100):
        if now - gone.deleted_at < DELETED_SECONDS:
            return None
    await QUEUES.save(tx, scope, made)
    return made


async def _check_redrive(ctx: Context, queue: Queue) -> None:
    """The dead-letter queue must be there, and must allow it."""
    text = queue.attributes.get("RedrivePolicy", "")
    policy = parse_redrive(text, ctx.scope, queue.is_fifo)
    if policy is None:
        return

    async def load(tx: Transaction, scope: Scope) -> Queue | None:
        return await QUEUES.load(tx, scope, policy.target)

    target = await ctx.transact(load)
    if target is None:
        raise invalid_value(text, "RedrivePolicy", "Dead letter target does not exist.")
    if not allows_redrive(target, queue_arn(ctx.scope, queue.name)):
        raise invalid_value(
            text,
            "RedrivePolicy",
            "The specified dead letter target does not allow this source queue by its "
            "RedriveAllowPolicy.",
        )


@operation("GetQueueUrl", resource=named_resource)
async def get_queue_url(ctx: Context, request: Request) -> dict[str, Any]:
    """The URL of a queue by its name."""
    account = request.get("QueueOwnerAWSAccountId") or ctx.scope.account
    url = url_of(ctx, Scope(account, ctx.scope.region), request["QueueName"])
    await find_queue(ctx, url)
    return {"QueueUrl": url}


@operation("ListQueues")
async def list_queues(ctx: Context, request: Request) -> dict[str, Any]:
    """The URLs of the account's queues in this region, by name."""
    most = _page_size(request)
    prefix = request.get("QueueNamePrefix") or ""
    after = _position(request)

    async def read(tx: Transaction, scope: Scope) -> list[Queue]:
        return await QUEUES.scan(tx, scope, limit=most + 1, starts=prefix, after=after)

    found = await ctx.transact(read)
    answer: dict[str, Any] = {}
    if found:
        answer["QueueUrls"] = [url_of(ctx, ctx.scope, queue.name) for queue in found[:most]]
    if len(found) > most and request.get("MaxResults"):
        answer["NextToken"] = make_token([found[most - 1].name])
    return answer


def _page_size(request: Request) -> int:
    most = request.get("MaxResults") or LIST_MAX
    if not 1 <= most <= LIST_MAX:
        raise invalid_value(
            most, "MaxResults", f"MaxResults must be an integer between 1 and {LIST_MAX}."
        )
    return int(most)


def _position(request: Request) -> tuple[str, ...] | None:
    token = request.get("NextToken")
    if not token:
        return None
    try:
        return (str(read_token(token)[0]),)
    except (ValueError, LookupError, TypeError):
        raise InvalidParameterValueException("Invalid or expired next token.") from None


@operation("ListDeadLetterSourceQueues", resource=queue_resource, resource_policy=queue_policy)
async def list_dead_letter_source_queues(ctx: Context, request: Request) -> dict[str, Any]:
    """The queues whose dead letters come to this one."""
    scope, queue = await find_queue(ctx, request["QueueUrl"])
    most = _page_size(request)
    after = _position(request)

    async def read(tx: Transaction, _: Scope) -> list[Queue]:
        return await QUEUES.scan(tx, scope, limit=100_000, after=after)

    sources = [
        one
        for one in await ctx.transact(read)
        if (policy := redrive_policy(one)) is not None and policy.target == queue.name
    ]
    answer: dict[str, Any] = {"queueUrls": [url_of(ctx, scope, one.name) for one in sources[:most]]}
    if len(sources) > most and request.get("MaxResults"):
        answer["NextToken"] = make_token([sources[most - 1].name])
    return answer


@operation("GetQueueAttributes", resource=queue_resource, resource_policy=queue_policy)
async def get_queue_attributes(ctx: Context, request: Request) -> dict[str, Any]:
    """What was set of a queue, and how many messages it has."""
    scope, queue = await find_queue(ctx, request["QueueUrl"])
    names = request.get("AttributeNames") or []
    has = shown_attributes(queue)
    has |= {
        "QueueArn": queue_arn(scope, queue.name),
        "CreatedTimestamp": str(queue.created_at),
        "LastModifiedTimestamp": str(queue.modified_at),
    }
    wants_all = "All" in names
    for name in names:
        if name != "All" and name not in has and name not in _COUNTS and not _is_known(name):
            raise InvalidAttributeName(f"Unknown Attribute {name}.")
    if wants_all or any(name in _COUNTS for name in names):
        now_ms = int(ctx.clock.now() * 1000)

        async def count(tx: Transaction, _: Scope) -> tuple[int, int, int]:
            return await count_messages(tx, scope, queue.uid, now_ms)

        counts = await ctx.transact(count)
        has |= dict(zip(_COUNTS, map(str, counts), strict=True))
    shown = {key: value for key, value in has.items() if wants_all or key in names}
    return {"Attributes": shown} if shown else {}


_SOMETIMES = frozenset(
    ("Policy", "RedrivePolicy", "RedriveAllowPolicy", "FifoQueue", "ContentBasedDeduplication",
     "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "DeduplicationScope",
     "FifoThroughputLimit")
)  # fmt: skip


def _is_known(name: str) -> bool:
    return name in _SOMETIMES


@operation("SetQueueAttributes", resource=queue_resource, resource_policy=queue_policy)
async def set_queue_attributes(ctx: Context, request: Request) -> None:
    """Change attributes; an empty policy removes it."""
    scope, queue = await find_queue(ctx, request["QueueUrl"])
    given = dict(request["Attributes"])
    check_attributes(given, scope, name=queue.name, is_new=False)
    changed = _with(queue, given, int(ctx.clock.now()))
    if "RedrivePolicy" in given:
        await _check_redrive(ctx, changed)
    await change_queue(ctx, scope, queue, lambda now: _with(now, given, changed.modified_at))


def _with(queue: Queue, given: dict[str, str], modified_at: int) -> Queue:
    attributes = {key: value for key, value in {**queue.attributes, **given}.items() if value}
    return msgspec.structs.replace(queue, attributes=attributes, modified_at=modified_at)


async def change_queue(ctx: Context, scope: Scope, queue: Queue, change: Any) -> None:
    """Write `change(queue)` for the queue as it is now. Raises QueueDoesNotExist."""

    async def write(tx: Transaction, _: Scope) -> bool:
        now = await QUEUES.load(tx, scope, queue.name)
        if now is None or now.uid != queue.uid:
            return False
        await QUEUES.save(tx, scope, change(now))
        return True

    if not await ctx.transact(write):
        raise no_queue()


@operation("PurgeQueue", resource=queue_resource, resource_policy=queue_policy)
async def purge_queue(ctx: Context, request: Request) -> None:
    """Delete every message, unless a purge ran within the last minute."""
    scope, queue = await find_queue(ctx, request["QueueUrl"])
    now = ctx.clock.now()

    async def purge(tx: Transaction, _: Scope) -> str:
        current = await QUEUES.load(tx, scope, queue.name)
        if current is None or current.uid != queue.uid:
            return "gone"
        if now - current.purged_at < PURGE_SECONDS:
            return "early"
        clear_queue(tx, scope, queue.uid)
        await QUEUES.save(tx, scope, msgspec.structs.replace(current, purged_at=now))
        return ""

    outcome = await ctx.transact(purge)
    if outcome == "gone":
        raise no_queue()
    if outcome == "early":
        raise PurgeQueueInProgress(
            f"Only one PurgeQueue operation on {queue.name} is allowed every "
            f"{PURGE_SECONDS} seconds."
        )


@operation("DeleteQueue", resource=queue_resource, resource_policy=queue_policy)
async def delete_queue(ctx: Context, request: Request) -> None:
    """Delete a queue with its messages; its name rests for a minute."""
    scope, name = address_of(ctx, request["QueueUrl"])
    now = ctx.clock.now()

    async def drop(tx: Transaction, _: Scope) -> bool:
        gone = await QUEUES.drop(tx, scope, name)
        if gone is None:
            return False
        clear_queue(tx, scope, gone.uid)
        await DELETED.save(tx, scope, DeletedQueue(gone.uid, name, now))
        return True

    if not await ctx.transact(drop):
        raise no_queue()


def queue_of_arn(ctx: Context, arn: str) -> tuple[Scope, str] | None:
    """The place of a queue of the caller's region by its ARN; None when it names none."""
    parsed = parse_arn(arn)
    if parsed is None or parsed.service != "sqs" or parsed.region != ctx.scope.region:
        return None
    return Scope(parsed.account, parsed.region), parsed.resource
