"""Machines that lack a layer: what is left still confines, and the report says what is missing."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from cumulet.sandbox import Failed, Succeeded

NO_NAMESPACES = ("filesystem", "processes")
FALLBACKS = [NO_NAMESPACES, ("landlock",), ("seccomp",), ("limits",), ("processes",),
             ("filesystem",)]  # fmt: skip


@pytest.mark.parametrize("without", FALLBACKS, ids="-".join)
def test_functions_run_and_the_report_names_what_is_missing(play, without):
    async def scenario(stage):
        layers = {layer.name: layer for layer in stage.sandbox.report()}
        for name in without:
            assert not layers[name].in_force
            assert "switched off" in layers[name].detail
            assert layers[name].meaning
        spec = stage.python("import boto3, os\ndef handler(event, context):\n"
                            "    with open(os.environ.get('TMPDIR', '/tmp') + '/x', 'w') as f:\n"
                            "        f.write('x')\n    return event\n")  # fmt: skip
        assert (await stage.invoke(spec, b"3")).payload == b"3"
        spec = stage.python("import time\ndef handler(event, context): time.sleep(60)",
                            timeout_ms=200)  # fmt: skip
        assert (await stage.invoke(spec)).kind == "Sandbox.Timedout"

    play(scenario, without=without)


def test_without_namespaces_files_and_strangers_stay_out_of_reach(play):
    async def scenario(stage):
        secret = stage.folder / "secret"
        secret.write_text("secret")
        other = stage.python("def handler(e, c): return 1")
        spec = stage.python(
            "import os, errno\ndef attempt(do):\n"
            "    try: do(); return 'done'\n"
            "    except OSError as error: return errno.errorcode[error.errno]\n"
            "def handler(event, context):\n"
            "    return [attempt(lambda: open(event['secret'])),\n"
            "            attempt(lambda: open(event['other'])),\n"
            "            attempt(lambda: open('/etc/shadow')),\n"
            "            attempt(lambda: os.kill(event['cloud'], 0)),\n"
            "            attempt(lambda: open(f\"/proc/{event['cloud']}/environ\"))]\n"
        )
        event = {"secret": str(secret), "other": str(other.code / "app.py"), "cloud": os.getpid()}
        outcome = await stage.invoke(spec, json.dumps(event).encode())
        assert isinstance(outcome, Succeeded), outcome
        assert set(json.loads(outcome.payload)) <= {"EACCES", "EPERM"}

    play(scenario, without=NO_NAMESPACES)


def test_without_namespaces_stray_processes_are_hunted_down(play):
    async def scenario(stage):
        spec = stage.python(
            "import subprocess, time\n"
            "def handler(event, context):\n"
            "    for _ in range(5):\n"
            "        subprocess.Popen(['sh', '-c', \"trap '' TERM; sleep 61.5; sleep 61.5\"],\n"
            "                         start_new_session=True)\n"
            "    time.sleep(60)\n",
            timeout_ms=500,
        )
        assert (await stage.invoke(spec)).kind == "Sandbox.Timedout"
        left = subprocess.run(["pgrep", "-f", "sleep 61.5"], capture_output=True, check=False)
        assert left.stdout == b""

    play(scenario, without=NO_NAMESPACES)


def test_without_control_groups_memory_is_watched(play):
    async def scenario(stage):
        spec = stage.python("def handler(event, context):\n    kept = []\n"
                            "    while True: kept.append(bytearray(1 << 18))\n",
                            memory_mb=128, timeout_ms=30_000)  # fmt: skip
        outcome = await stage.invoke(spec)
        assert isinstance(outcome, Failed)
        assert outcome.kind == "Runtime.OutOfMemory"

    play(scenario, without=("limits",))


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes an ordinary user")
@pytest.mark.skipif(not Path("/usr/bin/python3.11").exists(), reason="needs a readable Python")
def test_an_ordinary_user_gets_nearly_all_of_it():
    import cumulet

    root = Path(cumulet.__file__).parent.parent
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    script = Path(__file__).parent / "as_ordinary_user.txt"
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chown(folder, 65534, 65534)
        done = subprocess.run(
            ["/usr/bin/python3.11", "-c", script.read_text(), str(folder)],
            user=65534, group=65534, extra_groups=[], capture_output=True, check=False, timeout=120,
            cwd="/", env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{root}:{packages}",
                          "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    assert found["in_force"] == ["filesystem", "landlock", "privileges", "processes", "seccomp"]
    assert found["answer"] == "done"
    assert set(found["refused"]) <= {"EACCES", "EINVAL", "EPERM", "ENOENT", "EROFS", "ESRCH"}
    assert found["memory"] == "Runtime.OutOfMemory"
    assert found["forks"] == "EAGAIN"
    assert found["neighbour"] == "unharmed"
    assert found["timeout"] == "Sandbox.Timedout"
