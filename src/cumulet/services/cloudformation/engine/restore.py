"""The backward step of one resource: what an update that failed had changed is changed back."""

from __future__ import annotations

import msgspec

from cumulet.services.cloudformation.engine import calling
from cumulet.services.cloudformation.engine.schedule import StepFailed
from cumulet.services.cloudformation.engine.work import Line, Work
from cumulet.services.cloudformation.model import Former, Resource, former_of


async def restore(work: Work, name: str) -> None:
    """Bring a resource back to what it was before the update. Raises StepFailed."""
    record = work.resources[name]
    before = record.before
    if before is None:
        return
    started = msgspec.structs.replace(
        record, status="UPDATE_IN_PROGRESS", reason="", updated_at=work.now, run_id=work.run.id
    )
    await work.record(started, _line(started))
    if name in work.run.skip or record.replacing or record.physical_id != before.physical_id:
        restored = _former_again(record, before)
    else:
        restored = await _update_back(work, started, before)
    done = msgspec.structs.replace(restored, status="UPDATE_COMPLETE", updated_at=work.now)
    await work.record(done, _line(done))


def _former_again(record: Resource, before: Former) -> Resource:
    """The old physical resource still stands: take it back, and the new one is left to delete."""
    discarded = record.discarded
    if record.physical_id != before.physical_id:
        # What only the failed update made goes, whatever the template says of replaced ones.
        new = msgspec.structs.replace(former_of(record), update_replace_policy="Delete")
        discarded = (*discarded, new)
    return _as(record, before, before.attributes, discarded)


async def _update_back(work: Work, record: Resource, before: Former) -> Resource:
    tried, wanted = work.safe.take(record.properties), work.safe.take(before.properties)
    if tried == wanted:
        return _as(record, before, record.attributes, record.discarded)
    try:
        made = await calling.update(work, record, tried, wanted)
    except StepFailed as failure:
        failed = msgspec.structs.replace(
            record, status="UPDATE_FAILED", reason=str(failure), updated_at=work.now
        )
        await work.record(failed, _line(failed))
        raise
    discarded = record.discarded
    if made.physical_id != record.physical_id:
        discarded = (*discarded, former_of(record))
    restored = _as(record, before, work.safe.put(dict(made.attributes)), discarded)
    return msgspec.structs.replace(restored, physical_id=made.physical_id)


def _as(
    record: Resource, before: Former, attributes: bytes, discarded: tuple[Former, ...]
) -> Resource:
    return msgspec.structs.replace(
        record,
        type=before.type,
        physical_id=before.physical_id,
        properties=before.properties,
        attributes=attributes,
        metadata=before.metadata,
        deletion_policy=before.deletion_policy,
        update_replace_policy=before.update_replace_policy,
        depends_on=before.depends_on,
        token=before.token,
        replacing=False,
        reason="",
        before=None,
        discarded=discarded,
    )


def _line(record: Resource) -> Line:
    return Line(record.logical_id, record.physical_id, record.type, record.status, record.reason)
