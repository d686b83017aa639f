"""How environments are kept, shared out, frozen and ended."""

import asyncio
import json

import pytest

from cumulet.sandbox import IsolationUnavailable, NoCapacity, RuntimeUnavailable, Succeeded

BIRTH = "import os\nborn = os.urandom(4).hex()\ndef handler(event, context): return born"


def test_the_last_used_environment_is_used_first(play):
    async def scenario(stage):
        spec = stage.python(
            "import time, os\nborn = os.urandom(4).hex()\n"
            "def handler(event, context):\n    time.sleep(event)\n    return born\n"
        )
        slow = asyncio.gather(stage.invoke(spec, b"0.3"), stage.invoke(spec, b"0.05"))
        first, second = await slow
        again = [(await stage.invoke(spec, b"0")).payload for _ in range(3)]
        assert again == [first.payload] * 3
        assert second.payload != first.payload

    play(scenario)


def test_changed_code_is_not_served_from_an_old_environment(play):
    async def scenario(stage):
        spec = stage.python(BIRTH, key="fn/1")
        other = stage.python(BIRTH, key="other/1")
        before, beside = (await stage.invoke(spec)).payload, (await stage.invoke(other)).payload
        stage.sandbox.retire("fn/")
        assert (await stage.invoke(spec)).payload != before
        assert (await stage.invoke(other)).payload == beside

    play(scenario)


def test_a_busy_environment_finishes_its_event_before_it_is_retired(play):
    async def scenario(stage):
        spec = stage.python(
            "import os, time\nborn = os.urandom(4).hex()\n"
            "def handler(event, context):\n    print('at work', flush=True)\n"
            "    time.sleep(0.2)\n    return born\n"
        )
        busy = asyncio.gather(stage.invoke(spec))
        while not stage.lines:
            await asyncio.wait([busy], timeout=0.01)
        stage.sandbox.retire(spec.key)
        (outcome,) = await busy
        assert isinstance(outcome, Succeeded)
        assert (await stage.invoke(spec)).payload != outcome.payload

    play(scenario)


def test_nothing_runs_between_events(play):
    async def scenario(stage):
        spec = stage.python(
            "import threading, time, subprocess, os\n"
            "ticks = [0]\n"
            "def tick():\n"
            "    while True:\n        ticks[0] += 1\n        time.sleep(0.001)\n"
            "threading.Thread(target=tick, daemon=True).start()\n"
            "def handler(event, context):\n    return [ticks[0], time.monotonic()]\n"
        )
        await stage.invoke(spec)
        first = json.loads((await stage.invoke(spec)).payload)
        await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.8)
        second = json.loads((await stage.invoke(spec)).payload)
        assert second[1] - first[1] > 0.7
        assert second[0] - first[0] < 200

    play(scenario)


def test_an_idle_environment_gives_way_when_the_machine_is_full(play):
    async def scenario(stage):
        one, two = stage.python(BIRTH), stage.python(BIRTH)
        first = await stage.invoke(one)
        await stage.invoke(two)
        assert (await stage.invoke(one)).payload != first.payload

    play(scenario, environments_max=1)


def test_a_full_machine_says_so_after_a_bounded_wait(play):
    async def scenario(stage):
        slow = stage.python("import time\ndef handler(e, c): time.sleep(1)", timeout_ms=5_000)
        busy = asyncio.gather(stage.invoke(slow))
        while not stage.sandbox.busy():
            await asyncio.wait([busy], timeout=0.01)
        with pytest.raises(NoCapacity, match="All 1 environments"):
            await stage.invoke(stage.python(BIRTH))
        await busy

    play(scenario, environments_max=1, capacity_wait_ms=100)


def test_waiting_for_room_ends_when_there_is_some(play):
    async def scenario(stage):
        slow = stage.python("import time\ndef handler(e, c): time.sleep(0.3)", timeout_ms=5_000)
        busy = asyncio.gather(stage.invoke(slow))
        while not stage.sandbox.busy():
            await asyncio.wait([busy], timeout=0.01)
        assert isinstance(await stage.invoke(stage.python(BIRTH)), Succeeded)
        await busy

    play(scenario, environments_max=1)


def test_a_cancelled_caller_ends_its_environment(play):
    async def scenario(stage):
        spec = stage.python("import time\ndef handler(e, c):\n    print('on')\n    time.sleep(60)",
                            timeout_ms=90_000)  # fmt: skip
        call = asyncio.gather(stage.invoke(spec))
        while not stage.lines:
            await asyncio.wait([call], timeout=0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert not stage.sandbox.busy()

    play(scenario)


def test_a_missing_runtime_version_runs_on_the_nearest_with_a_warning(play):
    async def scenario(stage):
        spec = stage.python(BIRTH, runtime="python3.99")
        warning = stage.sandbox.warning("python3.99")
        assert warning.startswith("python3.99 runs on Python 3.")
        assert isinstance(await stage.invoke(spec), Succeeded)
        with pytest.raises(RuntimeUnavailable, match=r"python3.99 is not on this machine"):
            await stage.invoke(stage.python(BIRTH, runtime="python3.99", strict_runtime=True))

    play(scenario)


def test_isolation_required_and_not_there_is_refused(play):
    async def scenario(stage):
        raise AssertionError("never started")

    with pytest.raises(IsolationUnavailable, match="seccomp"):
        play(scenario, isolation="require", without=("seccomp",))


def test_isolation_required_and_there_runs(play):
    async def scenario(stage):
        layers = {layer.name: layer for layer in stage.sandbox.report()}
        assert all(layer.in_force for layer in layers.values() if layer.essential)
        assert isinstance(await stage.invoke(stage.python(BIRTH)), Succeeded)

    play(scenario, isolation="require")


def test_isolation_switched_off_says_so(play):
    async def scenario(stage):
        assert not any(layer.in_force for layer in stage.sandbox.report())
        assert isinstance(await stage.invoke(stage.python(BIRTH)), Succeeded)

    play(scenario, isolation="none")
