"""Traces go when they are a month old, and the oldest of too many.

https://docs.aws.amazon.com/general/latest/gr/xray.html
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import pytest
from tests.services.events.conftest import Inside, run_inside

from cumulet.services.xray import store, workers

DAY = 86_400


async def send(inside: Inside) -> str:
    now = inside.clock.now()
    trace = f"1-{int(now):08x}-{secrets.token_hex(12)}"
    document = {
        "id": secrets.token_hex(8),
        "trace_id": trace,
        "name": "n",
        "start_time": now,
        "end_time": now,
    }
    await inside.call("xray", "PutTraceSegments", TraceSegmentDocuments=[json.dumps(document)])
    return trace


async def left(inside: Inside, *traces: str) -> list[str]:
    answer = await inside.call("xray", "BatchGetTraces", TraceIds=list(traces))
    return [one["Id"] for one in answer["Traces"]]


def test_old_traces_go(tmp_path: Path) -> None:
    async def story(inside: Inside) -> None:
        old = await send(inside)
        await inside.clock.advance(20 * DAY)
        new = await send(inside)
        await workers.expire_traces(inside.platform)
        assert await left(inside, old, new) == [old, new]
        await inside.clock.advance(11 * DAY)
        await workers.expire_traces(inside.platform)
        assert await left(inside, old, new) == [new]

    run_inside(tmp_path / "data", story, 1_790_000_000.0)


def test_the_oldest_of_too_many_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "TRACES_MAX", 2)

    async def story(inside: Inside) -> None:
        traces = []
        for _ in range(4):
            traces.append(await send(inside))
            await inside.clock.advance(1)
        await workers.expire_traces(inside.platform)
        assert await left(inside, *traces) == traces[2:]

    run_inside(tmp_path / "data", story, 1_790_000_000.0)
