"""A function whose process ends is reported with how it ended, and replaced.

The first process of its environment sees every end, and needs next to no memory for it.
"""

import json
import os
import platform
import time
from pathlib import Path

import pytest

from cumulet.core.clock import SystemClock
from cumulet.sandbox import Failed, Succeeded, furnishing

PRIVATE_KB_MAX = 64

needs_program = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="elsewhere a Python process keeps watch"
)
needs_namespaces = pytest.mark.skipif(os.geteuid() != 0, reason="needs process namespaces")

TWICE = (
    "def handler(event, context):\n"
    "    import os, signal, sys\n"
    "    if event.get('end'):\n"
    "        %s\n"
    "    return 'fine'\n"
)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("sys.exit(3)", "Runtime exited with error: exit status 3"),
        ("sys.exit('gone')", "Runtime exited with error: exit status 1"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "Runtime exited with error: signal: killed"),
        ("os.abort()", "Runtime exited with error: signal: aborted"),
        ("import ctypes; ctypes.string_at(0)",
         "Runtime exited with error: signal: segmentation fault"),
    ],
)  # fmt: skip
def test_it_ends_during_an_event(play, how, words):
    async def scenario(stage):
        spec = stage.python(TWICE % how)
        outcome = await stage.invoke(spec, b'{"end": 1}', request_id="id-2")
        assert isinstance(outcome, Failed)
        assert (outcome.kind, outcome.error_type) == ("Runtime.ExitError", "Runtime.ExitError")
        assert json.loads(outcome.payload) == {
            "errorType": "Runtime.ExitError",
            "errorMessage": f"RequestId: id-2 Error: {words}",
        }
        assert stage.texts()[-1] == f"RequestId: id-2 Error: {words}\nRuntime.ExitError"
        assert isinstance(await stage.invoke(spec), Succeeded)

    play(scenario)


def test_it_ends_during_initialisation(play):
    async def scenario(stage):
        outcome = await stage.invoke(stage.python("import sys; sys.exit(1)"))
        assert outcome.kind == "Runtime.ExitError"
        assert outcome.error_message.endswith("exit status 1")

    play(scenario)


def first_process(stage):
    [environment] = stage.sandbox._environments.live
    return environment.pid()


def children(pid):
    return (Path(f"/proc/{pid}/task/{pid}/children")).read_text().split()


@needs_program
@needs_namespaces
def test_it_is_a_program_of_a_few_instructions(play):
    async def scenario(stage):
        await stage.invoke(stage.python("def handler(event, context): return 1\n"))
        pid = first_process(stage)
        until = time.monotonic() + 10
        while not Path(f"/proc/{pid}/exe").readlink().name.startswith("memfd:watcher"):
            assert time.monotonic() < until, "it is still what it was furnished by"
            await SystemClock().sleep(0.01)
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        private = sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
        assert private <= PRIVATE_KB_MAX
        status = Path(f"/proc/{pid}/status").read_text()
        assert "CapEff:\t0000000000000000" in status
        assert "CapBnd:\t0000000000000000" in status
        assert sorted(os.listdir(f"/proc/{pid}/fd")) == ["0", "1", "2", "3"]

    play(scenario)


@needs_namespaces
@pytest.mark.parametrize("program", [True, False], ids=["program", "python"])
def test_orphans_are_reaped_and_the_end_is_told(play, monkeypatch, program):
    """By the program, and by what stands in for it on other processors."""
    if not program:
        describe = furnishing.describe
        monkeypatch.setattr(
            furnishing,
            "describe",
            lambda *args, **named: {**describe(*args, **named), "watcher": -1},
        )

    async def scenario(stage):
        spec = stage.python(
            "import os, time\n"
            "def handler(event, context):\n"
            "    if event == 'end': os._exit(7)\n"
            "    if event == 'look': return\n"
            "    read, write = os.pipe()\n"
            "    if os.fork() == 0:\n"
            "        if os.fork() == 0:\n"
            "            os._exit(3)\n"
            "        os._exit(0)\n"
            "    os.wait()\n"
            "    os.close(write)\n"
            "    os.read(read, 1)  # Until the orphan has ended too.\n"
        )
        assert isinstance(await stage.invoke(spec), Succeeded)
        pid = first_process(stage)
        exe = Path(f"/proc/{pid}/exe").readlink().name
        assert exe.startswith("memfd:watcher") == (program and platform.machine() == "x86_64")
        for _ in range(3):
            assert isinstance(await stage.invoke(spec), Succeeded)
        while len(children(pid)) > 1:
            assert isinstance(await stage.invoke(spec, b'"look"'), Succeeded)
        outcome = await stage.invoke(spec, b'"end"')
        assert isinstance(outcome, Failed)
        assert outcome.error_message.endswith("Runtime exited with error: exit status 7")

    play(scenario)
