"""Runs the steps of a graph: as many at once as the graph and a bound allow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from cumulet.kit.workers import Tasks
from cumulet.services.cloudformation.planning.graph import Needs


class StepFailed(Exception):
    """A step on one resource failed, which is recorded; the message is the reason shown."""


async def run_graph(
    needs: Needs,
    step: Callable[[str], Awaitable[None]],
    *,
    width: int,
    stopping: Callable[[], bool],
) -> dict[str, StepFailed]:
    """Run `step(name)` for every name after those it needs; returns the failures by name.

    What needs a failed one is not run. Once `stopping()` holds nothing new is begun, but what has
    begun is waited for. Any other exception ends all at once and is raised.
    """
    waiting = {name: set(before & needs.keys()) - {name} for name, before in needs.items()}
    failed: dict[str, StepFailed] = {}
    tasks = Tasks()
    running: dict[asyncio.Task[None], str] = {}
    try:
        while True:
            if not stopping():
                for name in sorted(n for n, before in waiting.items() if not before):
                    if len(running) >= width:
                        break
                    del waiting[name]
                    running[tasks.start(_caught(step, name, failed), name)] = name
            if not running:
                return failed
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                name = running.pop(task)
                task.result()
                if name not in failed:
                    for before in waiting.values():
                        before.discard(name)
    finally:
        await tasks.stop()


async def _caught(
    step: Callable[[str], Awaitable[None]], name: str, failed: dict[str, StepFailed]
) -> None:
    try:
        await step(name)
    except StepFailed as failure:
        failed[name] = failure
