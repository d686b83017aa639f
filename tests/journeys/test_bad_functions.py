"""Functions that misbehave, as their callers see them: contained, and told in Lambda's words.

After each one its neighbour still answers, the cloud is well, and no process of it is left.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
"""

from __future__ import annotations

import base64
import io
import json
import os
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

FORKS = """
import os
def handler(event, context):
    while True:
        try:
            os.fork()
        except OSError:
            pass
"""
FILLS_ITS_DISK = """
import errno
def handler(event, context):
    written = 0
    try:
        with open("/tmp/all", "wb", buffering=0) as file:
            while True:
                written += file.write(bytes(1 << 20))
    except OSError as error:
        return {"error": errno.errorcode[error.errno], "megabytes": written >> 20}
"""
ALLOCATES = """
def handler(event, context):
    kept = []
    while True:
        kept.append(bytearray(1 << 20))
"""
IGNORES_SIGTERM = """
import signal
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
def handler(event, context):
    while True:
        pass
"""
CLOSES_ITS_PIPES = """
import os, time
def handler(event, context):
    os.closerange(0, 256)
    time.sleep(60)
"""
CLOSES_ITS_OUTPUT = """
import os
def handler(event, context):
    os.close(1)
    os.close(2)
    return "still here"
"""
LOGS_WITHOUT_END = """
def handler(event, context):
    for number in range(100_000):
        print(f"{number:06}", "x" * 1016)
    print("the last line")
    return "done"
"""
RETURNS_TOO_MUCH = """
def handler(event, context):
    return "x" * 7_000_000
"""
EXITS = """
import os
def handler(event, context):
    os._exit(7)
"""
CALM = "def handler(event, context):\n    return {'calm': event}\n"
LEFT_SECONDS_MAX = 15
WARM_PROCESSES_MAX = 12
"""What a function may leave: environments that wait for the next call, and spare ones."""


def pack(text: str) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("index.py", text)
    return sink.getvalue()


@pytest.fixture(scope="module")
def client(cloud: Any) -> Any:
    return cloud.client("lambda", read_timeout=120)


@pytest.fixture(scope="module")
def role(cloud: Any) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": statement})
    iam = cloud.client("iam")
    name = f"bad-functions-{uuid.uuid4().hex[:8]}"
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]
    may = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": may})
    iam.put_role_policy(RoleName=name, PolicyName="logs", PolicyDocument=document)
    return str(made["Arn"])


Make = Callable[..., str]


@pytest.fixture(scope="module")
def make(client: Any, role: str) -> Iterator[Make]:
    made: list[str] = []

    def make_function(text: str, **settings: Any) -> str:
        name = f"bad-{uuid.uuid4().hex[:10]}"
        client.create_function(
            FunctionName=name,
            Role=role,
            Runtime="python3.11",
            Handler="index.handler",
            Code={"ZipFile": pack(text)},
            **{"Timeout": 20, "MemorySize": 128, **settings},
        )
        made.append(name)
        return name

    yield make_function
    for name in made:
        client.delete_function(FunctionName=name)


@pytest.fixture(scope="module")
def neighbour(client: Any, make: Make) -> str:
    name = make(CALM)
    assert answer_of(client, name) == {"calm": 1}
    return name


@pytest.fixture
def unharmed(cloud: Any, client: Any, neighbour: str) -> Iterator[None]:
    """The neighbour answers during and after the test, the cloud is well, and nothing is left."""
    before = processes_below(cloud.process.pid)
    ended = threading.Event()
    failures: list[Any] = []

    def call_again_and_again() -> None:
        while not ended.wait(0.05):
            answer = answer_of(client, neighbour)
            if answer != {"calm": 1}:
                failures.append(answer)

    thread = threading.Thread(target=call_again_and_again)
    thread.start()
    yield
    ended.set()
    thread.join()
    assert not failures
    assert answer_of(client, neighbour) == {"calm": 1}
    health = json.loads(cloud.get("/_cumulet/health")[1])
    assert health["status"] == "running"
    assert cloud.client("sts").get_caller_identity()["Account"]
    allowed = before + WARM_PROCESSES_MAX
    assert settles(lambda: processes_below(cloud.process.pid) <= allowed), "processes are left"


def processes_below(root: int) -> int:
    """How many processes descend from this one."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if fields[0] != "Z":
                parents[int(entry.name)] = int(fields[1])
    found = {root}
    while more := {one for one, parent in parents.items() if parent in found} - found:
        found |= more
    return len(found)


def settles(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + LEFT_SECONDS_MAX
    pause = threading.Event()
    while time.monotonic() < deadline:
        if condition():
            return True
        pause.wait(0.05)
    return False


def answer_of(client: Any, name: str) -> Any:
    return json.loads(client.invoke(FunctionName=name, Payload=b"1")["Payload"].read())


def invoke(client: Any, name: str) -> tuple[dict[str, Any], Any, str]:
    """The answer, its payload, and the tail of its log."""
    answer = client.invoke(FunctionName=name, Payload=b"{}", LogType="Tail")
    payload = json.loads(answer["Payload"].read())
    return answer, payload, base64.b64decode(answer["LogResult"]).decode()


def kept_bytes(logs: Any, group: str) -> int:
    """What the log group holds of the function's output."""
    kept = 0
    try:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
            kept += sum(len(event["message"]) for event in page["events"])
    except logs.exceptions.ResourceNotFoundException:
        return 0
    return kept


def assert_failed(answer: dict[str, Any], payload: dict[str, str], kind: str, words: str) -> None:
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert answer["FunctionError"] == "Unhandled"
    assert payload == {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {words}"}


@pytest.mark.usefixtures("unharmed")
class TestBadFunctions:
    """Each of them runs beside a neighbour that is called all the time."""

    def test_it_forks_without_end(self, client: Any, make: Make) -> None:
        name = make(FORKS, Timeout=2)
        answer, payload, tail = invoke(client, name)
        assert answer["FunctionError"] == "Unhandled"
        assert payload["errorType"] in (
            "Sandbox.Timedout",
            "Runtime.OutOfMemory",
            "Runtime.ExitError",
        )
        assert "REPORT RequestId:" in tail

    def test_it_fills_its_disk(self, client: Any, make: Make) -> None:
        answer, payload, _ = invoke(client, make(FILLS_ITS_DISK, MemorySize=1024))
        assert "FunctionError" not in answer, payload
        assert payload["error"] in ("ENOSPC", "EDQUOT", "EFBIG")
        assert 400 <= payload["megabytes"] <= 512

    def test_it_allocates_without_end(self, client: Any, make: Make) -> None:
        answer, payload, tail = invoke(client, make(ALLOCATES))
        words = "Runtime exited with error: signal: killed"
        assert_failed(answer, payload, "Runtime.OutOfMemory", words)
        assert "Memory Size: 128 MB\tMax Memory Used: 128 MB" in tail

    def test_it_ignores_every_signal_it_can(self, client: Any, make: Make) -> None:
        began = time.monotonic()
        answer, payload, tail = invoke(client, make(IGNORES_SIGTERM, Timeout=1))
        assert_failed(answer, payload, "Sandbox.Timedout", "Task timed out after 1.00 seconds")
        assert "Task timed out after 1.00 seconds" in tail
        assert time.monotonic() - began < 10

    def test_it_closes_its_pipes(self, client: Any, make: Make) -> None:
        began = time.monotonic()
        answer, payload, _ = invoke(client, make(CLOSES_ITS_PIPES))
        assert answer["FunctionError"] == "Unhandled"
        assert payload["errorType"] == "Runtime.ExitError"
        assert time.monotonic() - began < 15

    def test_it_closes_its_output(self, client: Any, make: Make) -> None:
        name = make(CLOSES_ITS_OUTPUT)
        answer, payload, tail = invoke(client, name)
        assert "FunctionError" not in answer, payload
        assert payload == "still here"
        assert "END RequestId:" in tail

    def test_it_exits(self, client: Any, make: Make) -> None:
        name = make(EXITS)
        answer, payload, _ = invoke(client, name)
        words = "Runtime exited with error: exit status 7"
        assert_failed(answer, payload, "Runtime.ExitError", words)

    def test_it_logs_a_hundred_megabytes(self, client: Any, make: Make, cloud: Any) -> None:
        name = make(LOGS_WITHOUT_END, Timeout=60)
        answer, payload, tail = invoke(client, name)
        assert "FunctionError" not in answer, payload
        assert payload == "done"
        assert len(tail.encode()) <= 4096 + 1024
        assert "bytes of output were left out" in tail
        logs = cloud.client("logs")
        assert settles(lambda: kept_bytes(logs, f"/aws/lambda/{name}") > 0)
        assert kept_bytes(logs, f"/aws/lambda/{name}") < 2_000_000

    def test_it_returns_seven_megabytes(self, client: Any, make: Make) -> None:
        answer, payload, _ = invoke(client, make(RETURNS_TOO_MUCH, MemorySize=256))
        assert answer["FunctionError"] == "Unhandled"
        assert payload == {
            "errorType": "Function.ResponseSizeTooLarge",
            "errorMessage": "Response payload size exceeded maximum allowed payload size "
            "(6291556 bytes).",
        }


def test_it_can_be_called_again_after_it_failed(client: Any, make: Make) -> None:
    name = make("import os\ndef handler(event, context):\n    return os._exit(1) if event else 1\n")
    for _ in range(3):
        assert answer_of(client, name)["errorType"] == "Runtime.ExitError"
        again = client.invoke(FunctionName=name, Payload=b"0")
        assert json.loads(again["Payload"].read()) == 1


def test_the_cloud_itself_is_not_to_be_seen(client: Any, make: Make, cloud: Any) -> None:
    name = make(
        "import os\ndef handler(event, context):\n"
        "    found = []\n"
        "    for path in event:\n"
        "        try:\n            open(path, 'rb').read(1)\n            found.append(path)\n"
        "        except OSError: pass\n"
        "    return found\n"
    )
    secrets = [str(cloud.data / part) for part in ("master.key", "root-key.json", "run.json")]
    secrets.append(f"/proc/{os.getpid()}/environ")
    answer = client.invoke(FunctionName=name, Payload=json.dumps(secrets))
    assert json.loads(answer["Payload"].read()) == []
