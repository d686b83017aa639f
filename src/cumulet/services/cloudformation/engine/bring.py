"""The forward step of one resource: make it, change it, replace it, or leave it as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from cumulet.core.identity import Scope
from cumulet.kit.resources import PartlyMade, Provisioned
from cumulet.services.cloudformation import store
from cumulet.services.cloudformation.engine import calling
from cumulet.services.cloudformation.engine.schedule import StepFailed
from cumulet.services.cloudformation.engine.work import Line, Work
from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.model import Former, Resource, former_of
from cumulet.services.cloudformation.planning.desired import Desired, desired_resource
from cumulet.services.cloudformation.planning.opening import Opened, made_of
from cumulet.services.cloudformation.planning.plan import needs_replacement
from cumulet.services.cloudformation.planning.stack_policy import require_allowed
from cumulet.services.cloudformation.template.values import to_json, unknown_in

_REPLACES = "Requested update requires the creation of a new physical resource; hence creating one."
_INITIATED = "Resource creation Initiated"


async def bring(work: Work, opened: Opened, name: str) -> None:
    """Bring one resource to what the template says. Raises StepFailed; all is recorded."""
    current = work.resources.get(name)
    if current is not None and _is_done(current, work):
        return
    if current is not None and name in work.resumed:
        await resume(work, current)
        return
    try:
        desired = await _desired(work, opened, name)
    except ValidationError as cause:
        await _refuse(work, opened, name, str(cause))
        raise StepFailed(str(cause)) from cause
    if current is None or not current.is_there or current.status == "CREATE_FAILED":
        await _make(work, current, desired)
    else:
        await _change(work, current, desired)


def _is_done(resource: Resource, work: Work) -> bool:
    return resource.run_id == work.run.id and resource.status.endswith("_COMPLETE")


async def _desired(work: Work, opened: Opened, name: str) -> Desired:
    declared = opened.template.resources[name]
    scene = replace(opened.scene, made=made_of(_needed(work, opened, name), work.safe))

    async def load(tx: Any, scope: Scope) -> dict[str, str]:
        return await store.load_exports(tx, scope, opened.imports)

    if opened.imports:
        scene = replace(scene, exports=await work.transact(load))
    desired = desired_resource(declared, work.types[declared.type], scene, opened.settings.tags)
    if (unknown := unknown_in(desired.properties)) is not None:
        raise ValidationError(
            f"Unresolved resource dependencies [{', '.join(sorted(unknown.causes))}]"
        )
    return desired


def _needed(work: Work, opened: Opened, name: str) -> dict[str, Resource]:
    """Only what it depends on, so that a step never sees what may still change."""
    before = opened.needs[name]
    return {n: r for n, r in work.resources.items() if n in before}


async def _refuse(work: Work, opened: Opened, name: str, reason: str) -> None:
    """Record that a resource cannot even be evaluated."""
    current = work.resources.get(name)
    type_name = opened.template.resources[name].type
    if current is not None and current.is_there:
        failed = msgspec.structs.replace(
            current,
            status="UPDATE_FAILED",
            reason=reason,
            updated_at=work.now,
            run_id=work.run.id,
            before=current.before or former_of(current),
        )
        kind = "UPDATE"
    else:
        token = calling.step_token(work.run.id, name)
        failed = Resource(
            work.run.stack_id, name, type_name, "CREATE_FAILED", work.now, work.run.id, token,
            reason=reason,
        )  # fmt: skip
        kind = "CREATE"
    await work.record(
        failed,
        Line(name, failed.physical_id, type_name, f"{kind}_IN_PROGRESS"),
        Line(name, failed.physical_id, type_name, f"{kind}_FAILED", reason),
    )


async def _make(work: Work, current: Resource | None, desired: Desired) -> None:
    record = Resource(
        stack_id=work.run.stack_id,
        logical_id=desired.logical_id,
        type=desired.type,
        status="CREATE_IN_PROGRESS",
        updated_at=work.now,
        run_id=work.run.id,
        token=calling.step_token(work.run.id, desired.logical_id),
        properties=work.safe.put(desired.properties),
        born_in=work.run.id,
        discarded=_left_behind(current),
        **_declared(desired),
    )
    await work.record(record, _line(record))
    await _create(work, record, desired.properties)


def _left_behind(current: Resource | None) -> tuple[Former, ...]:
    """What a creation that failed half-way made, and what else is to be deleted at the end."""
    if current is None:
        return ()
    return (*current.discarded, former_of(current)) if current.is_there else current.discarded


async def _create(work: Work, record: Resource, properties: Mapping[str, Any]) -> None:
    """Call the type's `create` for a record that says it is in progress, and record the end."""
    try:
        made = await calling.create(work, record.logical_id, record.type, record.token, properties)
        _require_new(record, made)
    except PartlyMade as partly:
        reason = str(partly.__cause__)
        await _fail(work, _standing(work, record, partly.physical_id, partly.attributes), reason)
        raise StepFailed(reason) from partly
    except StepFailed as failure:
        await _fail(work, record, str(failure))
        raise
    kind = "UPDATE" if record.replacing else "CREATE"
    done = msgspec.structs.replace(
        _standing(work, record, made.physical_id, made.attributes),
        status=f"{kind}_COMPLETE",
        reason="",
        updated_at=work.now,
    )
    initiated = Line(
        done.logical_id, done.physical_id, done.type, f"{kind}_IN_PROGRESS", _INITIATED
    )
    await work.record(done, initiated, _line(done))


def _standing(
    work: Work, record: Resource, physical_id: str, attributes: Mapping[str, Any]
) -> Resource:
    return msgspec.structs.replace(
        record, physical_id=physical_id, attributes=work.safe.put(dict(attributes))
    )


def _require_new(record: Resource, made: Provisioned) -> None:
    if record.replacing and made.physical_id == record.physical_id:
        raise StepFailed(
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
            f"Rename {made.physical_id} and update the stack again."
        )


async def _fail(work: Work, record: Resource, reason: str) -> None:
    kind = record.status.split("_", 1)[0]
    failed = msgspec.structs.replace(
        record, status=f"{kind}_FAILED", reason=reason, updated_at=work.now
    )
    await work.record(failed, _line(failed))


async def _change(work: Work, current: Resource, desired: Desired) -> None:
    old, differs = _compared(work, current, desired)
    if not differs and _same_around(current, desired):
        return
    replacing = differs and needs_replacement(old, desired.properties, work.types[desired.type])
    try:
        if current.type != desired.type:
            raise ValidationError("Update of resource type is not permitted.")
        _ask_policy(work, current, replacing)
    except ValidationError as cause:
        await _deny(work, current, str(cause))
        raise StepFailed(str(cause)) from cause
    record = msgspec.structs.replace(
        current,
        status="UPDATE_IN_PROGRESS",
        reason=_REPLACES if replacing else "",
        updated_at=work.now,
        run_id=work.run.id,
        token=calling.step_token(work.run.id, desired.logical_id) if replacing else current.token,
        properties=work.safe.put(desired.properties),
        replacing=replacing,
        before=current.before or former_of(current),
        discarded=_with_discarded(current, replacing),
        **_declared(desired),
    )
    await work.record(record, _line(record))
    if replacing:
        await _create(work, record, desired.properties)
    else:
        await _update(work, record, old, desired.properties)


def _with_discarded(current: Resource, replacing: bool) -> tuple[Former, ...]:
    """What a second replacement would leave behind, when the first one was never finished."""
    again = current.before is not None and current.before.physical_id != current.physical_id
    return (*current.discarded, former_of(current)) if replacing and again else current.discarded


def _ask_policy(work: Work, current: Resource, replacing: bool) -> None:
    policy = work.stack.policy_for_update or work.stack.policy
    action = "Update:Replace" if replacing else "Update:Modify"
    require_allowed(policy, action, current.logical_id, current.type)


def _compared(work: Work, current: Resource, desired: Desired) -> tuple[Mapping[str, Any], bool]:
    """The properties to start from, and whether something must be done to reach the desired ones.

    After a failed update nobody knows how much of it took place, so that it is done again even
    when the properties seem to be there.
    """
    recorded = work.safe.take(current.properties)
    if current.status != "UPDATE_FAILED" or current.before is None:
        return recorded, recorded != desired.properties
    before = work.safe.take(current.before.properties)
    if current.replacing and current.physical_id == current.before.physical_id:
        return before, before != desired.properties
    return (recorded if before == desired.properties else before), True


async def _deny(work: Work, current: Resource, reason: str) -> None:
    failed = msgspec.structs.replace(
        current,
        status="UPDATE_FAILED",
        reason=reason,
        updated_at=work.now,
        run_id=work.run.id,
        before=current.before or former_of(current),
    )
    await work.record(failed, _line(failed))


def _same_around(current: Resource, desired: Desired) -> bool:
    return (current.metadata, current.deletion_policy, current.update_replace_policy) == (
        _metadata(desired),
        desired.deletion_policy,
        desired.update_replace_policy,
    )


async def _update(
    work: Work, record: Resource, old: Mapping[str, Any], new: Mapping[str, Any]
) -> None:
    try:
        done = Provisioned(record.physical_id, work.safe.take(record.attributes))
        if old != new:
            done = await calling.update(work, record, old, new)
    except StepFailed as failure:
        await _fail(work, record, str(failure))
        raise
    updated = msgspec.structs.replace(
        _standing(work, record, done.physical_id, done.attributes),
        status="UPDATE_COMPLETE",
        reason="",
        updated_at=work.now,
    )
    await work.record(updated, _line(updated))


async def resume(work: Work, record: Resource) -> None:
    """Go on with a step that a killed process had begun; its own properties count."""
    properties = work.safe.take(record.properties)
    if record.status == "CREATE_IN_PROGRESS" or record.replacing:
        await _create(work, record, properties)
    else:
        before = record.before or former_of(record)
        await _update(work, record, work.safe.take(before.properties), properties)


def _declared(desired: Desired) -> dict[str, Any]:
    return {
        "metadata": _metadata(desired),
        "deletion_policy": desired.deletion_policy,
        "update_replace_policy": desired.update_replace_policy,
        "depends_on": tuple(sorted(desired.depends_on)),
    }


def _metadata(desired: Desired) -> str:
    return "" if desired.metadata is None else to_json(desired.metadata)


def _line(resource: Resource) -> Line:
    return Line(
        resource.logical_id, resource.physical_id, resource.type, resource.status, resource.reason
    )
