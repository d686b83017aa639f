"""Taking physical resources away: at the end of an update, in a rollback, with the stack."""

from __future__ import annotations

import contextlib

import msgspec

from cumulet.services.cloudformation.engine import calling
from cumulet.services.cloudformation.engine.schedule import StepFailed
from cumulet.services.cloudformation.engine.work import Line, Work
from cumulet.services.cloudformation.model import Former, Resource, former_of


def is_kept(work: Work, resource: Resource) -> bool:
    """Whether the deletion policy keeps the resource when the stack lets go of it."""
    if resource.logical_id in work.run.retain:
        return True
    if resource.deletion_policy == "RetainExceptOnCreate" or (
        resource.deletion_policy == "Retain" and work.stack.retain_except_on_create
    ):
        return not (work.is_fresh(resource) and work.run.action != "delete")
    return resource.deletion_policy == "Retain"


async def remove(work: Work, name: str) -> None:
    """Delete a resource of the stack with all that it left behind. Raises StepFailed.

    The record stays, as `DELETE_COMPLETE` or `DELETE_SKIPPED`.
    """
    record = work.resources[name]
    for thing in _left_behind(record):
        await discard(work, name, thing)
    if not record.is_there:
        await _note(work, record, "DELETE_COMPLETE")
        return
    if is_kept(work, record):
        await _note(work, record, "DELETE_SKIPPED")
        return
    started = _with(work, record, "DELETE_IN_PROGRESS")
    await work.record(started, _line(started))
    try:
        await calling.delete(work, name, former_of(record))
    except StepFailed as failure:
        failed = _with(work, record, "DELETE_FAILED", str(failure))
        await work.record(failed, _line(failed))
        raise
    await _note(work, record, "DELETE_COMPLETE")


def _left_behind(record: Resource) -> list[Former]:
    """The physical resources behind a record that are not its current one."""
    things = [thing for thing in record.discarded if thing.physical_id]
    before = record.before
    if before is not None and before.physical_id not in ("", record.physical_id):
        # Whether a replaced one stays is for the template that replaced it to say.
        policy = record.update_replace_policy
        things.append(msgspec.structs.replace(before, update_replace_policy=policy))
    return things


async def discard(work: Work, name: str, thing: Former) -> None:
    """Delete one physical resource that the stack no longer refers to.

    That it cannot be deleted is told by an event, and does not fail the stack, as on AWS.
    """
    line = Line(name, thing.physical_id, thing.type, "DELETE_IN_PROGRESS")
    if thing.update_replace_policy == "Retain":
        await work.say(line._replace(status="DELETE_SKIPPED"))
        return
    await work.say(line)
    try:
        await calling.delete(work, name, thing)
    except StepFailed as failure:
        await work.say(line._replace(status="DELETE_FAILED", reason=str(failure)))
    else:
        await work.say(line._replace(status="DELETE_COMPLETE"))


async def clean(work: Work, name: str, is_wanted: bool, depends_on: tuple[str, ...]) -> None:
    """The clean-up of one resource after an update or a rollback, and the end of its changes."""
    record = work.resources[name]
    if is_wanted:
        for thing in _left_behind(record):
            await discard(work, name, thing)
        if record.before or record.discarded or record.depends_on != depends_on:
            settled = msgspec.structs.replace(
                record,
                before=None,
                discarded=(),
                replacing=False,
                depends_on=depends_on,
            )
            await work.record(settled)
        return
    # A failure is told by an event; the stack forgets the resource, as AWS does in a clean-up.
    with contextlib.suppress(StepFailed):
        await remove(work, name)
    await work.forget(name)


def _with(work: Work, record: Resource, status: str, reason: str = "") -> Resource:
    return msgspec.structs.replace(
        record, status=status, reason=reason, updated_at=work.now, run_id=work.run.id
    )


async def _note(work: Work, record: Resource, status: str) -> None:
    noted = msgspec.structs.replace(_with(work, record, status), before=None, discarded=())
    await work.record(noted, _line(noted))


def _line(record: Resource) -> Line:
    return Line(record.logical_id, record.physical_id, record.type, record.status, record.reason)
