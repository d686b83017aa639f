"""The phases of a run. Each can be entered again after a kill, and ends in one transaction that
moves the stack to its next status and the run to its next phase."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cumulet.core.identity import Scope
from cumulet.services.cloudformation import limits, store
from cumulet.services.cloudformation.engine.bring import bring, resume
from cumulet.services.cloudformation.engine.exports import replace_exports, set_imports
from cumulet.services.cloudformation.engine.removal import clean, remove
from cumulet.services.cloudformation.engine.restore import restore
from cumulet.services.cloudformation.engine.schedule import StepFailed, run_graph
from cumulet.services.cloudformation.engine.work import Line, Work, phrase
from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.model import Output, Resource, Settings
from cumulet.services.cloudformation.planning.desired import desired_resource
from cumulet.services.cloudformation.planning.graph import (
    ordered,
    reversed_needs,
    without_cycles,
)
from cumulet.services.cloudformation.planning.opening import (
    Opened,
    evaluated_outputs,
    made_of,
    open_settings,
)

_REQUESTED = "Rollback requested by user."


async def open_target(work: Work, settings: Settings) -> Opened:
    """The settings of the stack with their template."""
    document = await work.transact(store.load_document, settings.template_id)
    return open_settings(work.scope, work.stack, settings, document, work.safe, work.types)


async def forward(work: Work) -> None:
    """Bring every resource to what the target says."""
    settings = work.stack.target
    assert settings is not None
    opened = await open_target(work, settings)
    await work.transact(set_imports, work.stack, opened.imports, True)
    reason = await _missing_exports(work, opened) or await _preflight(work, opened)
    if not reason:
        reason = await _bring_all(work, opened)
    if work.run.interrupt == "delete":
        await work.move(work.next_run(action="delete", phase="removal"), "DELETE_IN_PROGRESS")
        return
    if not reason and work.run.interrupt == "rollback":
        reason = "User Initiated"
    if not reason:
        reason = await _succeed(work, opened)
    if reason:
        await _give_up(work, reason)


async def _missing_exports(work: Work, opened: Opened) -> str:
    if not opened.imports:
        return ""

    async def load(tx: Any, scope: Scope) -> dict[str, str]:
        return await store.load_exports(tx, scope, opened.imports)

    exports = await work.transact(load)
    missing = [name for name in opened.imports if name not in exports]
    return f"No export named {missing[0]} found. " if missing else ""


async def _preflight(work: Work, opened: Opened) -> str:
    """Find what can be known to be wrong before anything is made; '' when all is well.

    Properties that are unknown, missing or of a wrong form fail their resource here, so that a
    stack with such a mistake makes nothing at all.
    """
    if any(r.run_id == work.run.id for r in work.resources.values()):
        return ""
    scene = replace(opened.scene, exports=None)
    wrong: dict[str, str] = {}
    for name in ordered(opened.needs):
        declared = opened.template.resources[name]
        try:
            desired_resource(declared, work.types[declared.type], scene, {})
        except ValidationError as cause:
            wrong[name] = str(cause)
    for name, reason in wrong.items():
        await _refuse(work, opened, name, reason)
    return _failure_words(work, wrong)


async def _refuse(work: Work, opened: Opened, name: str, reason: str) -> None:
    type_name = opened.template.resources[name].type
    current = work.resources.get(name)
    physical_id = current.physical_id if current is not None else ""
    kind = "UPDATE" if current is not None and current.is_there else "CREATE"
    lines = (
        Line(name, physical_id, type_name, f"{kind}_IN_PROGRESS"),
        Line(name, physical_id, type_name, f"{kind}_FAILED", reason),
    )
    if current is not None and current.is_there:
        await work.say(*lines)
        return
    failed = Resource(
        stack_id=work.run.stack_id,
        logical_id=name,
        type=type_name,
        status="CREATE_FAILED",
        updated_at=work.now,
        run_id=work.run.id,
        token="",
        reason=reason,
        born_in=work.run.id,
    )
    await work.record(failed, *lines)


def _failure_words(work: Work, failed: dict[str, Any]) -> str:
    if not failed:
        return ""
    made = [n for n in failed if (r := work.resources.get(n)) and r.status.startswith("UPDATE")]
    words = phrase(made, "update") if made else ""
    created = [n for n in failed if n not in made]
    return (phrase(created, "create") if created else "") + words


async def _bring_all(work: Work, opened: Opened) -> str:
    failed: dict[str, Any] = {
        name: resource.reason
        for name, resource in work.resources.items()
        if resource.run_id == work.run.id and resource.status.endswith("_FAILED")
    }
    failed.update(await _resume_all(work))
    if not failed:
        failed = await run_graph(
            opened.needs,
            lambda name: _brought(work, opened, name),
            width=limits.PARALLEL_STEPS_MAX,
            stopping=work.stop.is_set,
        )
    if work.timed_out and not failed:
        return "Stack creation time exceeded the specified timeout. "
    return _failure_words(work, failed)


async def _brought(work: Work, opened: Opened, name: str) -> None:
    try:
        await bring(work, opened, name)
    except StepFailed:
        work.stop.set()
        raise


async def _resume_all(work: Work) -> dict[str, StepFailed]:
    """End the steps that were in the middle when an earlier process was killed."""
    return await run_graph(
        {name: frozenset() for name in work.resumed},
        lambda name: resume(work, work.resources[name]),
        width=limits.PARALLEL_STEPS_MAX,
        stopping=lambda: False,
    )


async def _succeed(work: Work, opened: Opened) -> str:
    """Evaluate the outputs and announce success; the reason when that is not possible."""
    try:
        outputs = await _outputs(work, opened)
    except ValidationError as cause:
        return str(cause)

    async def also(tx: Any, scope: Scope) -> str | None:
        refusal = await replace_exports(tx, scope, work.stack, outputs)
        if refusal is None and former is not None:
            await store.drop_document(tx, scope, former.template_id)
        return refusal

    former = work.stack.settings
    creating = work.run.action == "create"
    changes: dict[str, Any] = {
        "outputs": outputs,
        "settings": opened.settings,
        "target": None,
        "imports": opened.imports,
        "policy_for_update": "",
        "unsettled": (),
    }
    if creating:
        refusal = await work.move(None, "CREATE_COMPLETE", also=also, **changes)
    else:
        run = work.next_run(phase="cleanup")
        refusal = await work.move(run, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", also=also, **changes)
    return refusal or ""


async def _outputs(work: Work, opened: Opened) -> tuple[Output, ...]:
    async def load(tx: Any, scope: Scope) -> dict[str, str]:
        return await store.load_exports(tx, scope, opened.imports)

    exports = await work.transact(load) if opened.imports else {}
    scene = replace(opened.scene, made=made_of(work.resources, work.safe), exports=exports)
    return evaluated_outputs(opened.template, scene)


async def _give_up(work: Work, reason: str) -> None:
    """Go back, or stay as it is when that was asked for."""
    reason = f"{reason.rstrip()} "
    creating = work.run.action == "create"
    if work.stack.disable_rollback or work.run.on_failure == "DO_NOTHING":
        status = "CREATE_FAILED" if creating else "UPDATE_FAILED"
        await work.move(None, status, reason)
        return
    if not creating:
        await work.move(work.next_run(phase="rollback"), "UPDATE_ROLLBACK_IN_PROGRESS", reason)
    elif work.run.on_failure == "DELETE":
        run = work.next_run(phase="removal", action="delete")
        await work.move(run, "DELETE_IN_PROGRESS", reason)
    else:
        run = work.next_run(phase="removal", action="rollback")
        await work.move(run, "ROLLBACK_IN_PROGRESS", f"{reason}{_REQUESTED}")


async def cleanup(work: Work) -> None:
    """After a success: delete what was replaced and what the template no longer has."""
    settings = work.stack.settings
    assert settings is not None
    opened = await open_target(work, settings)
    await _clean_all(work, set(opened.needs), opened)
    await work.transact(set_imports, work.stack, opened.imports, False)
    await work.move(None, "UPDATE_COMPLETE")


async def rollback_cleanup(work: Work) -> None:
    """After going back: delete what the failed update had made."""
    kept = {name for name, resource in work.resources.items() if not work.is_fresh(resource)}
    await _clean_all(work, kept, None)
    failed = work.stack.target

    async def also(tx: Any, scope: Scope) -> str | None:
        await set_imports(tx, scope, work.stack, work.stack.imports, False)
        if failed is not None:
            await store.drop_document(tx, scope, failed.template_id)
        return None

    await work.move(
        None, "UPDATE_ROLLBACK_COMPLETE", also=also, target=None, unsettled=(), policy_for_update=""
    )


async def _clean_all(work: Work, kept: set[str], opened: Opened | None) -> None:
    def depends_on(name: str) -> tuple[str, ...]:
        if opened is None or name not in opened.needs:
            return work.resources[name].depends_on
        return tuple(sorted(opened.needs[name]))

    await run_graph(
        _standing_needs(work, backwards=True),
        lambda name: clean(work, name, name in kept, depends_on(name)),
        width=limits.PARALLEL_STEPS_MAX,
        stopping=lambda: False,
    )


def _standing_needs(work: Work, *, backwards: bool) -> dict[str, frozenset[str]]:
    """The graph of what stands, as recorded when it was made, former dependencies included."""
    needs = {}
    for name, resource in work.resources.items():
        found = set(resource.depends_on)
        if resource.before is not None:
            found.update(resource.before.depends_on)
        needs[name] = frozenset(found & work.resources.keys())
    acyclic = without_cycles(needs)
    return reversed_needs(acyclic) if backwards else acyclic


async def rollback(work: Work) -> None:
    """Change back what the update had changed."""
    needs = _standing_needs(work, backwards=False)
    failed = await run_graph(
        needs,
        lambda name: restore(work, name),
        width=limits.PARALLEL_STEPS_MAX,
        stopping=lambda: False,
    )
    if failed:
        await work.move(None, "UPDATE_ROLLBACK_FAILED", phrase(list(failed), "update"))
        return
    run = work.next_run(phase="rollback_cleanup")
    await work.move(run, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")


async def removal(work: Work) -> None:
    """Take everything away: a creation that failed, or a stack that is deleted."""
    work.resumed.clear()
    rolling_back = work.run.action == "rollback"
    refusal = await _let_go_exports(work)
    if refusal:
        await work.move(None, "DELETE_FAILED", refusal)
        return
    left = {
        name
        for name, resource in work.resources.items()
        if resource.status not in ("DELETE_COMPLETE", "DELETE_SKIPPED")
    }
    needs = _standing_needs(work, backwards=True)
    failed = await run_graph(
        {name: before & left for name, before in needs.items() if name in left},
        lambda name: remove(work, name),
        width=limits.PARALLEL_STEPS_MAX,
        stopping=lambda: False,
    )
    if failed:
        status = "ROLLBACK_FAILED" if rolling_back else "DELETE_FAILED"
        await work.move(None, status, phrase(list(failed), "delete"))
        return

    async def also(tx: Any, scope: Scope) -> str | None:
        await set_imports(tx, scope, work.stack, (), False)
        await store.drop_tickets(tx, scope, work.run.stack_id)
        return None

    status = "ROLLBACK_COMPLETE" if rolling_back else "DELETE_COMPLETE"
    await work.move(None, status, also=also, unsettled=(), imports=())


async def _let_go_exports(work: Work) -> str | None:
    async def let_go(tx: Any, scope: Scope) -> str | None:
        return await replace_exports(tx, scope, work.stack, ())

    refusal: str | None = await work.transact(let_go)
    return refusal


PHASES = {
    "forward": forward,
    "cleanup": cleanup,
    "rollback": rollback,
    "rollback_cleanup": rollback_cleanup,
    "removal": removal,
}
