"""Ends that come just when the cloud is between two steps: told by their cause all the same."""

import asyncio

import pytest

from cumulet.core.clock import SystemClock
from cumulet.sandbox import Failed, SandboxConfig, Succeeded
from cumulet.sandbox.environment import Environment
from cumulet.sandbox.machine.runtimes import Interpreter
from cumulet.sandbox.pool import Sandbox
from cumulet.sandbox.starter import Starter


def begin(work):
    return asyncio.get_running_loop().create_task(work)


@pytest.mark.parametrize(
    ("bootstrap", "words"),
    [
        ("#!/bin/sh\nexit 3\n", "Runtime exited with error: exit status 3"),
        ("#!/bin/sh\nkill -9 $$\n", "Runtime exited with error: signal: killed"),
    ],
)
def test_a_bootstrap_is_gone_before_its_runtime_api_is_served(play, monkeypatch, bootstrap, words):
    assign = Environment.assign

    async def assign_and_outlive(self, *arguments):
        await assign(self, *arguments)
        await asyncio.wait([self.gone], timeout=30)

    monkeypatch.setattr(Environment, "assign", assign_and_outlive)

    async def scenario(stage):
        outcome = await stage.invoke(stage.custom(bootstrap), request_id="id-1")
        assert isinstance(outcome, Failed)
        assert outcome.kind == "Runtime.ExitError"
        assert outcome.error_message == f"RequestId: id-1 Error: {words}"

    play(scenario)


def test_an_extension_ends_when_the_runtime_is_long_ready(play, monkeypatch):
    """The runtime's word comes before the cloud goes on; it is held back for the extension."""
    assign = Environment.assign

    async def assign_and_hear(self, *arguments):
        await assign(self, *arguments)
        while self._held is None and self._result is not None and not self._result.done():
            await SystemClock().sleep(0)

    monkeypatch.setattr(Environment, "assign", assign_and_hear)

    async def scenario(stage):
        layer = stage.package(extensions__broken="#!/bin/sh\nexit 4\n")
        spec = stage.python("def handler(event, context): return 1", layers=(layer,))
        outcome = await stage.invoke(spec)
        assert isinstance(outcome, Failed), outcome
        assert outcome.kind == "Extension.Crash"

    play(scenario)


HUNGRY = "    kept = []\n    while True: kept.append(bytearray(1 << 20))\n"


@pytest.mark.parametrize("when", ["init", "event"])
def test_memory_is_reported_of_an_environment_that_is_gone_already(play, monkeypatch, when):
    """The control group, which counted, goes with the last process."""
    expect_next = Environment.expect

    async def result_and_end(environment, result):
        found = await result
        await asyncio.wait([environment.gone], timeout=30)
        return found

    def expect(self):
        result = expect_next(self)
        if when == "init" or self.state.value == "running":
            return result_and_end(self, result)
        return result

    monkeypatch.setattr(Environment, "expect", expect)
    source = {
        "init": f"if True:\n{HUNGRY}",
        "event": f"def handler(event, context):\n{HUNGRY}",
    }[when]

    async def scenario(stage):
        outcome = await stage.invoke(stage.python(source, memory_mb=128, timeout_ms=30_000))
        assert isinstance(outcome, Failed)
        assert outcome.kind == "Runtime.OutOfMemory"
        assert 100 <= outcome.usage.max_memory_mb <= 128

    play(scenario)


def test_the_cloud_stops_while_environments_are_being_ended(play):
    """Whoever waits for an end may give up; the end itself goes on, and others see it."""

    async def scenario(stage):
        specs = [stage.python("def handler(event, context): return 1\n") for _ in range(3)]
        await asyncio.gather(*(stage.invoke(spec) for spec in specs))
        live = list(stage.sandbox._environments.live)
        waiters = [begin(each.end()) for each in live for _ in range(2)]
        await SystemClock().sleep(0)
        for waiter in waiters[::2]:
            waiter.cancel()
        stage.sandbox.retire("")
        await stage.sandbox.stop()
        ended = await asyncio.gather(*waiters, return_exceptions=True)
        assert [type(each) for each in ended] == [asyncio.CancelledError, type(None)] * len(live)
        assert not stage.sandbox._environments.live

    play(scenario)


def test_an_event_is_given_up_while_its_interpreter_starts(play, monkeypatch):
    """The next event for the same interpreter must not wait for the one that is gone."""
    start = Starter._start_zygote
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def slowly(self, path: str, interpreter: Interpreter):
        if stages:
            begun.set()
            await goes_on.wait()
        return await start(self, path, interpreter)

    stages = []
    monkeypatch.setattr(Starter, "_start_zygote", slowly)

    async def scenario(stage):
        for zygote in stage.sandbox._starter._zygotes.values():
            zygote.result().close()
        stages.append(stage)
        spec = stage.python("def handler(event, context): return 1\n")
        first = begin(stage.invoke(spec))
        await begun.wait()
        first.cancel()
        second = begin(stage.invoke(spec))
        await SystemClock().sleep(0)
        goes_on.set()
        outcome = await asyncio.wait_for(second, 30)
        assert isinstance(outcome, Succeeded)
        with pytest.raises(asyncio.CancelledError):
            await first

    play(scenario)


def test_two_timeouts_of_initialisation_leave_all_room_to_others(play):
    async def scenario(stage):
        slow = stage.python(
            "import time\ntime.sleep(60)\ndef handler(event, context): return 1\n",
            timeout_ms=100, init_timeout_ms=100,
        )  # fmt: skip
        for _ in range(2):
            outcome = await stage.invoke(slow)
            assert isinstance(outcome, Failed)
            assert outcome.kind == "Sandbox.Timedout"
        quick = stage.python("def handler(event, context): return 1\n")
        assert isinstance(await stage.invoke(quick), Succeeded)

    play(scenario, environments_max=1, capacity_wait_ms=200)


def test_what_the_machine_offers_is_asked_again_after_a_failure(tmp_path, monkeypatch):
    """The cloud serves meanwhile: only functions wait for the answer."""
    probe = Starter.probe
    troubles = [OSError("no process just now")]

    async def troubled(self, interpreter):
        if troubles:
            raise troubles.pop()
        return await probe(self, interpreter)

    monkeypatch.setattr(Starter, "probe", troubled)

    async def scenario():
        sandbox = Sandbox(SandboxConfig(tmp_path), SystemClock())
        await sandbox.start()
        with pytest.raises(OSError, match="no process just now"):
            await sandbox.ready()
        await sandbox.ready()
        assert sandbox.report()
        await sandbox.stop()

    asyncio.run(scenario())
