"""Calls that come at once: each takes the first environment that is free, few are begun at a time.

A function's code folder is seen by its environments as it is outside: files in it tell them what to
wait for.
"""

import asyncio
import json

import pytest

from cumulet.core.clock import SystemClock
from cumulet.sandbox import Failed, NoCapacity, Succeeded
from cumulet.sandbox.states import State

GATED = (
    "import os, time\n"
    "def wait_while(name):\n"
    "    while os.path.exists('/var/task/' + name): time.sleep(0.005)\n"
    "born = os.urandom(4).hex()\n"
    "print('begins', flush=True)\n"
    "wait_while('init')\n"
    "def handler(event, context):\n"
    "    print('works', flush=True)\n"
    "    wait_while(str(event))\n"
    "    return born\n"
)
PATIENT = {"timeout_ms": 60_000, "init_timeout_ms": 60_000}


def begin(work):
    return asyncio.get_running_loop().create_task(work)


async def until(is_so):
    """Wait for something that processes do."""
    async with asyncio.timeout(60):
        while not is_so():
            await SystemClock().sleep(0.01)


class Gates:
    """What the environments of one function wait for."""

    def __init__(self, stage, **settings):
        self.spec = stage.python(GATED, **{**PATIENT, **settings})

    def shut(self, name):
        (self.spec.code / name).touch()

    def open(self, name):
        (self.spec.code / name).unlink()


def test_a_waiting_call_takes_the_environment_that_falls_idle_first(play):
    async def scenario(stage):
        gates = Gates(stage)
        (gates.spec.code / "held").touch()
        held = begin(stage.invoke(gates.spec, b'"held"'))
        await until(lambda: "works" in stage.texts())
        gates.shut("init")
        waiting = begin(stage.invoke(gates.spec, b'"free"'))
        await until(lambda: stage.texts().count("begins") == 2)
        assert not waiting.done()
        gates.open("held")
        first, second = await held, await waiting
        assert (first.payload, second.usage.init_ms) == (second.payload, None)
        # What was begun for the call is there for the next one, and begins no second time.
        third = begin(stage.invoke(gates.spec, b'"free"'))
        assert (await third).payload == first.payload
        (gates.spec.code / "held").touch()
        held = begin(stage.invoke(gates.spec, b'"held"'))
        await until(lambda: stage.texts().count("works") == 4)
        gates.open("init")
        fourth = await stage.invoke(gates.spec, b'"free"')
        assert fourth.payload != first.payload
        assert fourth.usage.init_ms is not None
        assert (await stage.invoke(gates.spec, b'"free"')).usage.init_ms is None
        gates.open("held")
        await held
        assert stage.texts().count("begins") == 2

    play(scenario)


def test_few_environments_are_begun_at_once(play):
    async def scenario(stage):
        gates = Gates(stage)
        gates.shut("init")
        calls = [begin(stage.invoke(gates.spec)) for _ in range(12)]
        beginning = (State.STARTING, State.INIT)
        most = 0

        def look():
            nonlocal most
            live = stage.sandbox._environments.live
            most = max(most, sum(each.state in beginning for each in live))
            return all(call.done() for call in calls)

        await until(lambda: stage.texts().count("begins") == 2)
        gates.open("init")
        await until(look)
        outcomes = [await call for call in calls]
        assert all(isinstance(outcome, Succeeded) for outcome in outcomes)
        assert most <= 2
        cold = sum(outcome.usage.init_ms is not None for outcome in outcomes)
        assert cold == len({outcome.payload for outcome in outcomes}) < 12

    play(scenario, starting_max=2, starting_ms=60_000, capacity_wait_ms=60_000)


def test_one_that_is_long_in_beginning_does_not_hold_up_the_next(play):
    async def scenario(stage):
        slow = Gates(stage)
        slow.shut("init")
        begun = begin(stage.invoke(slow.spec))
        await until(lambda: stage.texts())
        other = stage.python("def handler(event, context): return 1\n")
        assert isinstance(await stage.invoke(other), Succeeded)
        assert not begun.done()
        slow.open("init")
        await begun

    play(scenario, starting_max=1, starting_ms=50, capacity_wait_ms=60_000)


def test_a_call_without_a_turn_is_told_so_after_a_bounded_wait(play):
    async def scenario(stage):
        slow = Gates(stage)
        slow.shut("init")
        begun = begin(stage.invoke(slow.spec))
        await until(lambda: stage.texts())
        with pytest.raises(NoCapacity, match="busy with starting"):
            await stage.invoke(stage.python("def handler(event, context): return 1\n"))
        slow.open("init")
        assert isinstance(await begun, Succeeded)

    play(scenario, starting_max=1, starting_ms=60_000, capacity_wait_ms=50)


def test_each_failed_initialisation_reaches_a_call(play):
    async def scenario(stage):
        gates = Gates(stage)
        gates.shut("init")
        (gates.spec.code / "app.py").write_text(GATED + "raise ValueError('not today')\n")
        calls = [begin(stage.invoke(gates.spec)) for _ in range(5)]
        await until(lambda: stage.texts().count("begins") == 2)
        gates.open("init")
        for outcome in await asyncio.gather(*calls):
            assert isinstance(outcome, Failed)
            assert json.loads(outcome.payload)["errorMessage"] == "not today"
            assert outcome.usage.init_ms is not None
        assert stage.texts().count("begins") == 5

    play(scenario, starting_max=2, starting_ms=60_000, capacity_wait_ms=60_000)


def test_a_call_that_gives_up_leaves_what_was_begun_to_the_next(play):
    async def scenario(stage):
        gates = Gates(stage)
        gates.shut("init")
        given_up = begin(stage.invoke(gates.spec))
        await until(lambda: stage.texts())
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        next_one = begin(stage.invoke(gates.spec))
        await SystemClock().sleep(0)
        gates.open("init")
        assert (await next_one).usage.init_ms is not None
        assert stage.texts().count("begins") == 1

    play(scenario)


def test_an_environment_is_not_lost_with_the_call_it_was_just_given_to(play, monkeypatch):
    async def scenario(stage):
        gates = Gates(stage)
        first = await stage.invoke(gates.spec)
        [environment] = stage.sandbox._environments.live
        (gates.spec.code / "held").touch()
        held = begin(stage.invoke(gates.spec, b'"held"'))
        await until(lambda: stage.texts().count("works") == 2)
        gates.shut("init")
        waiting = begin(stage.invoke(gates.spec))
        await until(lambda: stage.texts().count("begins") == 2)
        release = stage.sandbox._environments.release

        def release_and_cancel(released):
            release(released)
            waiting.cancel()

        monkeypatch.setattr(stage.sandbox._environments, "release", release_and_cancel)
        gates.open("held")
        await held
        monkeypatch.undo()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert environment.state is State.IDLE
        assert (await stage.invoke(gates.spec)).payload == first.payload
        gates.open("init")

    play(scenario)


def test_waiting_ends_with_the_callers_deadline(play):
    async def scenario(stage):
        gates = Gates(stage)
        gates.shut("init")
        soon = int((SystemClock().now() + 0.2) * 1000)
        outcome = await stage.invoke(gates.spec, deadline_ms=soon)
        assert isinstance(outcome, Failed)
        assert outcome.kind == "Sandbox.Timedout"
        gates.open("init")
        assert isinstance(await stage.invoke(gates.spec), Succeeded)

    play(scenario)


def test_what_is_retired_while_it_begins_serves_only_calls_that_came_before(play):
    async def scenario(stage):
        gates = Gates(stage)
        gates.shut("init")
        before = begin(stage.invoke(gates.spec))
        await until(lambda: stage.texts())
        stage.sandbox.retire(gates.spec.key)
        after = begin(stage.invoke(gates.spec))
        await until(lambda: stage.texts().count("begins") == 2)
        gates.open("init")
        assert (await before).payload != (await after).payload
        assert (await stage.invoke(gates.spec)).payload == (await after).payload

    play(scenario)


def test_calls_that_wait_are_turned_away_when_the_cloud_stops(play):
    async def scenario(stage):
        gates = Gates(stage)
        gates.shut("init")
        calls = [begin(stage.invoke(gates.spec)) for _ in range(3)]
        await until(lambda: stage.texts())
        await stage.sandbox.stop()
        for call in calls:
            with pytest.raises(OSError, match="being stopped"):
                await call

    play(scenario, starting_max=1)
