"""Move tasks: dead letters on their way back to work."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

import msgspec

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.sqs.errors import InvalidParameterValueException, ResourceNotFoundException
from cumulet.services.sqs.limits import MOVE_TASKS_MAX, MOVES_PER_SECOND_MAX
from cumulet.services.sqs.model import MoveTask, Queue, queue_arn
from cumulet.services.sqs.operations.queue import queue_of_arn
from cumulet.services.sqs.rules.attributes import redrive_policy
from cumulet.services.sqs.store.tables import MOVE_TASKS, QUEUES, count_messages

Request = dict[str, Any]
_SHOWN_MAX = 10


def source_resource(_: Context, request: Request) -> str:
    """The queue that a request names by its ARN."""
    return str(request["SourceArn"])


def moved_actions(_: Context, request: Request) -> list[str]:
    """Whoever moves messages must be allowed to take them, and to read what the queue is."""
    return ["StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes"]


@operation("StartMessageMoveTask", action=moved_actions, resource=source_resource)
async def start_message_move_task(ctx: Context, request: Request) -> dict[str, Any]:
    """Begin to move a dead-letter queue's messages to where they came from, or elsewhere."""
    rate = request.get("MaxNumberOfMessagesPerSecond") or 0
    if not 0 <= rate <= MOVES_PER_SECOND_MAX:
        raise InvalidParameterValueException(
            f"Value {rate} for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: Must be "
            f"between 1 and {MOVES_PER_SECOND_MAX}, if provided."
        )
    name = _own_name(ctx, request["SourceArn"], "SourceArn")
    destination = request.get("DestinationArn") or ""
    if destination:
        target = _own_name(ctx, destination, "DestinationArn")
        await ctx.authorize("sqs:SendMessage", destination)
    task = MoveTask(
        new_uuid(ctx.clock),
        name,
        int(ctx.clock.now() * 1000),
        "RUNNING",
        0,
        target if destination else "",
        rate,
    )
    outcome = await ctx.transact(_start, task)
    if outcome in ("SourceArn", "DestinationArn"):
        raise _no_resource(outcome)
    if outcome == "not dead letters":
        raise InvalidParameterValueException(
            "Source queue must be configured as a Dead Letter Queue."
        )
    if outcome == "running":
        raise InvalidParameterValueException(
            "There is already a task running. Only one active task is allowed for a source "
            "queue arn at a given time."
        )
    return {"TaskHandle": _handle(ctx.scope, task)}


async def _start(tx: Transaction, scope: Scope, task: MoveTask) -> str:
    source = await QUEUES.load(tx, scope, task.source)
    if source is None:
        return "SourceArn"
    if task.destination and await QUEUES.load(tx, scope, task.destination) is None:
        return "DestinationArn"
    if not await _is_dead_letter_queue(tx, scope, task.source):
        return "not dead letters"
    earlier = await MOVE_TASKS.scan(tx, scope, task.source, limit=MOVE_TASKS_MAX, reverse=True)
    if any(one.status in ("RUNNING", "CANCELLING") for one in earlier):
        return "running"
    for old in earlier[MOVE_TASKS_MAX - 1 :]:
        await MOVE_TASKS.drop(tx, scope, old.source, old.started_ms, old.id)
    ready, flying, delayed = await count_messages(tx, scope, source.uid, task.started_ms)
    to_move = ready + flying + delayed
    await MOVE_TASKS.save(tx, scope, msgspec.structs.replace(task, to_move=to_move))
    return ""


async def _is_dead_letter_queue(tx: Transaction, scope: Scope, name: str) -> bool:
    after: tuple[str, ...] | None = None
    while page := await QUEUES.scan(tx, scope, limit=500, after=after):
        if any(_sends_to(queue, name) for queue in page):
            return True
        after = (page[-1].name,)
    return False


def _sends_to(queue: Queue, name: str) -> bool:
    policy = redrive_policy(queue)
    return policy is not None and policy.target == name


@operation("ListMessageMoveTasks", resource=source_resource)
async def list_message_move_tasks(ctx: Context, request: Request) -> dict[str, Any]:
    """The last tasks of a source queue, the newest first."""
    name = _own_name(ctx, request["SourceArn"], "SourceArn")
    most = request.get("MaxResults") or 1
    if not 1 <= most <= _SHOWN_MAX:
        raise InvalidParameterValueException(
            f"Value {most} for parameter MaxResults is invalid. Reason: Must be between 1 and "
            f"{_SHOWN_MAX}, if provided."
        )

    async def read(tx: Transaction, scope: Scope) -> list[MoveTask] | None:
        if await QUEUES.load(tx, scope, name) is None:
            return None
        return await MOVE_TASKS.scan(tx, scope, name, limit=most, reverse=True)

    tasks = await ctx.transact(read)
    if tasks is None:
        raise _no_resource("SourceArn")
    return {"Results": [_shown(ctx.scope, task) for task in tasks]}


def _shown(scope: Scope, task: MoveTask) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "Status": task.status,
        "SourceArn": queue_arn(scope, task.source),
        "ApproximateNumberOfMessagesMoved": task.moved,
        "ApproximateNumberOfMessagesToMove": task.to_move,
        "StartedTimestamp": task.started_ms,
    }
    if task.status == "RUNNING":
        shown["TaskHandle"] = _handle(scope, task)
    if task.destination:
        shown["DestinationArn"] = queue_arn(scope, task.destination)
    if task.per_second:
        shown["MaxNumberOfMessagesPerSecond"] = task.per_second
    if task.failure:
        shown["FailureReason"] = task.failure
    return shown


def handled_resource(ctx: Context, request: Request) -> str:
    """The source queue that a task's handle names."""
    return _read_handle(request["TaskHandle"])[1]


@operation("CancelMessageMoveTask", resource=handled_resource)
async def cancel_message_move_task(ctx: Context, request: Request) -> dict[str, Any]:
    """Stop a task; what was moved stays where it is."""
    task_id, arn = _read_handle(request["TaskHandle"])
    name = _own_name(ctx, arn, "SourceArn")

    async def cancel(tx: Transaction, scope: Scope) -> MoveTask | str:
        if await QUEUES.load(tx, scope, name) is None:
            return "SourceArn"
        found = await MOVE_TASKS.lookup(tx, scope, "id", task_id, limit=1)
        if not found:
            return "gone"
        if found[0].status == "RUNNING":
            await MOVE_TASKS.save(tx, scope, msgspec.structs.replace(found[0], status="CANCELLED"))
        return found[0]

    outcome = await ctx.transact(cancel)
    if outcome == "SourceArn":
        raise _no_resource("SourceArn")
    if isinstance(outcome, str) or outcome.status != "RUNNING":
        raise ResourceNotFoundException("Task does not exist.")
    return {"ApproximateNumberOfMessagesMoved": outcome.moved}


def _handle(scope: Scope, task: MoveTask) -> str:
    content = {"taskId": task.id, "sourceArn": queue_arn(scope, task.source)}
    return base64.b64encode(json.dumps(content).encode()).decode()


def _read_handle(text: str) -> tuple[str, str]:
    try:
        content = json.loads(base64.b64decode(text, validate=True))
        return str(content["taskId"]), str(content["sourceArn"])
    except (binascii.Error, ValueError, TypeError, LookupError):
        raise InvalidParameterValueException("Value for parameter TaskHandle is invalid.") from None


def _own_name(ctx: Context, arn: str, parameter: str) -> str:
    place = queue_of_arn(ctx, arn)
    if place is None or place[0] != ctx.scope:
        raise _no_resource(parameter)
    return place[1]


def _no_resource(parameter: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(
        f"The resource that you specified for the {parameter} parameter doesn't exist."
    )
