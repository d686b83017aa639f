"""Functions that take more than their share are contained and reported; neighbours go on."""

import json
import os
from pathlib import Path

import pytest

from cumulet.sandbox import Failed, Succeeded

NEIGHBOUR = "def handler(event, context): return 'unharmed'"
needs_groups = pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/sys/fs/cgroup/memory").is_dir(),
    reason="control groups version 1 as root",
)


async def neighbour_is_unharmed(stage, spec):
    outcome = await stage.invoke(spec)
    assert outcome.payload == b'"unharmed"'
    assert outcome.usage.init_ms is None


def test_it_allocates_without_end(play):
    async def scenario(stage):
        other = stage.python(NEIGHBOUR)
        await stage.invoke(other)
        spec = stage.python("def handler(event, context):\n    kept = []\n"
                            "    while True: kept.append(bytearray(1 << 20))\n",
                            memory_mb=128, timeout_ms=30_000)  # fmt: skip
        outcome = await stage.invoke(spec, request_id="id-4")
        assert isinstance(outcome, Failed)
        assert outcome.kind == "Runtime.OutOfMemory"
        assert outcome.error_message == (
            "RequestId: id-4 Error: Runtime exited with error: signal: killed"
        )
        assert outcome.usage.max_memory_mb == 128
        await neighbour_is_unharmed(stage, other)

    play(scenario)


def test_it_forks_without_end(play):
    async def scenario(stage):
        other = stage.python(NEIGHBOUR)
        await stage.invoke(other)
        spec = stage.python("import os, time\ndef handler(event, context):\n"
                            "    while True:\n"
                            "        try: os.fork()\n"
                            "        except OSError: time.sleep(0.01)\n",
                            timeout_ms=1_500)  # fmt: skip
        outcome = await stage.invoke(spec)
        assert outcome.kind in ("Sandbox.Timedout", "Runtime.OutOfMemory", "Runtime.ExitError")
        await neighbour_is_unharmed(stage, other)

    play(scenario, processes_max=40)


def test_it_fills_its_disk(play):
    async def scenario(stage):
        spec = stage.python(
            "import errno, os\ndef handler(event, context):\n"
            "    size = 0\n"
            "    try:\n"
            "        for index in range(100):\n"
            "            with open(f'/tmp/{index}', 'wb') as file:\n"
            "                size += file.write(bytes(1 << 20))\n"
            "    except OSError as error: return [errno.errorcode[error.errno], size >> 20]\n",
            ephemeral_mb=20,
        )
        outcome = await stage.invoke(spec)
        assert isinstance(outcome, Succeeded)
        error, megabytes = json.loads(outcome.payload)
        assert error == "ENOSPC"
        assert 17 <= megabytes <= 20

    play(scenario)


def test_it_writes_a_hundred_megabytes_of_logs(play):
    async def scenario(stage):
        spec = stage.python("def handler(event, context):\n"
                            "    for _ in range(100_000): print('x' * 1023)\n"
                            "    return 'done'\n", timeout_ms=60_000)  # fmt: skip
        outcome = await stage.invoke(spec)
        assert outcome.payload == b'"done"'
        kept = sum(len(line.text) + 1 for line in stage.lines[:-1])
        assert kept <= 1_048_576
        assert stage.texts()[-1] == (
            f"[cumulet] {100_000 * 1024 - kept} bytes of output were left out: "
            "an invocation may write 1048576 bytes"
        )
        stage.lines.clear()
        assert (await stage.invoke(stage.python("def handler(e, c): print('calm')"))).payload
        assert stage.texts() == ["calm"]

    play(scenario)


def test_it_returns_seven_megabytes(play):
    """https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

    async def scenario(stage):
        spec = stage.python("def handler(event, context): return 'x' * event['size']")
        outcome = await stage.invoke(spec, b'{"size": 7000000}')
        assert json.loads(outcome.payload) == {
            "errorMessage": "Response payload size exceeded maximum allowed payload size "
            "(6291556 bytes).",
            "errorType": "Function.ResponseSizeTooLarge",
        }
        most = await stage.invoke(spec, b'{"size": 6291554}')
        assert len(most.payload) == 6291556
        assert most.usage.init_ms is None

    play(scenario)


def test_it_closes_its_pipe(play):
    async def scenario(stage):
        other = stage.python(NEIGHBOUR)
        await stage.invoke(other)
        spec = stage.python(
            "import os, time\ndef handler(event, context):\n"
            "    os.closerange(0, 64)\n    time.sleep(60)\n",
            timeout_ms=20_000,
        )
        outcome = await stage.invoke(spec)
        assert outcome.kind == "Runtime.ExitError"
        assert outcome.usage.duration_ms < 10_000
        await neighbour_is_unharmed(stage, other)

    play(scenario)


def test_it_writes_nonsense_to_its_channel(play):
    async def scenario(stage):
        spec = stage.python(
            "import os\ndef handler(event, context):\n"
            "    os.write(3, b'\\xff' * 64)\n    return 1\n"
        )
        outcome = await stage.invoke(spec)
        assert outcome.kind == "Runtime.ExitError"
        assert "broke the protocol" in outcome.error_message
        assert (await stage.invoke(spec)).usage.init_ms is not None

    play(scenario)


@needs_groups
def test_too_many_open_files_are_refused(play):
    async def scenario(stage):
        spec = stage.python(
            "import errno, os\ndef handler(event, context):\n"
            "    try:\n        while True: os.dup(1)\n"
            "    except OSError as error: return errno.errorcode[error.errno]\n"
        )
        assert (await stage.invoke(spec)).payload == b'"EMFILE"'

    play(scenario)
