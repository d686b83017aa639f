"""The voice application, with a real SSH server as the engine's machine."""

import json
import shutil
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
APPLICATION = ROOT / "apps" / "voice-quality"
WHEELS = ROOT / ".cache" / "clients" / "wheels"

ENGINE = """
import pathlib, sys, time
reference, degraded, mode, result, watch = sys.argv[1:]
mine = pathlib.Path(watch) / degraded.replace("/", "_")
mine.write_text("")
running = len(list(pathlib.Path(watch).iterdir()))
with open(pathlib.Path(watch).parent / "running", "a") as told:
    told.write(str(running) + " ")
time.sleep(0.3)
mine.unlink()
pathlib.Path(result).write_text("mos_lqo: 4.2")
"""
"""An engine that takes its time, and tells how many of it ran at once."""


@pytest.fixture
def machine(server, tmp_path):
    """The engine's machine: the folder `engine`, its settings, a reference, and its own files."""
    home = tmp_path / "machine"
    shutil.copytree(APPLICATION / "engine", home / "voice-engine")
    engine = home / "voice-engine"
    (home / "watch").mkdir()
    (home / "jobs").mkdir()
    (engine / "references").mkdir()
    (engine / "references" / "welcome.wav").write_bytes(b"RIFF")
    (engine / "engine.py").write_text(ENGINE)
    command = [sys.executable, str(engine / "engine.py"), "{reference}", "{degraded}", "{mode}",
               "{result}", str(home / "watch")]  # fmt: skip
    (engine / "settings.json").write_text(json.dumps({"command": command, "licences": 2}))
    return home


def test_recordings_are_scored_on_the_engine_s_machine(
    run,
    cloud,
    outputs,
    machine,
    server,
    tmp_path,
):
    if not WHEELS.is_dir():
        pytest.skip("the layer's wheels are not here; `make clients` fetches them")
    own = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(WHEELS)}
    cumulet = (sys.executable, "-m", "cumulet")
    run(*cumulet, "hosts", "add", "engine", "--ssh", server.place, "--port", server.port,
        "--tag", "role=voice-engine", "--data", cloud.data)  # fmt: skip
    cloud.client("ssm").put_parameter(
        Name="/voice-quality/engine-key", Type="SecureString", Value=server.key_file.read_text()
    )
    copy = tmp_path / "voice-quality"
    shutil.copytree(APPLICATION, copy, ignore=shutil.ignore_patterns(".cumulet"))
    # The wheels of the layer were fetched for this interpreter.
    template = copy / "template.yaml"
    here = f"python3.{sys.version_info.minor}"
    template.write_text(template.read_text().replace("python3.12", here))
    host_key = " ".join((server.folder / "host.pub").read_text().split()[:2])
    parameters = {
        "EngineHostKey": host_key,
        "EngineUser": server.place.partition("@")[0],
        "EnginePort": str(server.port),
        "EngineFolder": str(machine / "jobs"),
        "EngineProgram": str(machine / "voice-engine" / "run_job.py"),
        "PollSeconds": "1",
    }
    words = [word for key, value in parameters.items() for word in ("-p", f"{key}={value}")]
    run(*cumulet, "deploy", copy, "--data", cloud.data, "--stack-name", "voice", *words, **own)
    found = outputs("voice")
    run(
        sys.executable, copy / "test_app.py", URL=found["Url"], API_KEY_ID=found["ApiKeyId"],
        REFERENCE="welcome", TABLE=found["Table"], PAGE_URL=found["PageUrl"],
    )  # fmt: skip
    s3, dynamodb = cloud.client("s3"), cloud.client("dynamodb")

    def is_clean():
        """What is left belongs to jobs that nobody asked for yet: they wait for their hour."""
        items = dynamodb.scan(TableName=found["Table"])["Items"]
        kept = {item["id"]["S"] for item in items}
        left = s3.list_objects_v2(Bucket=found["Bucket"]).get("Contents", [])
        names = {one["Key"].split("/")[1] for one in left}
        return (names | {path.name for path in (machine / "jobs").iterdir()}) <= kept

    running = [int(one) for one in (machine / "running").read_text().split()]
    assert max(running) <= 2, "no more at once than there are licences"
    until = time.monotonic() + 30
    while not is_clean():
        assert time.monotonic() < until, "files of jobs that are gone were left"
