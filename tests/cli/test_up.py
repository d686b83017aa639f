"""`cumulet up`: what it announces, what it refuses, and how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Run

END_SECONDS_MAX = 20


class Up:
    """One `cumulet up` in the foreground of a terminal that is not there."""

    def __init__(self, surroundings: dict[str, str], *words: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cumulet", "up", *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=surroundings,
        )
        self.said: list[str] = []

    def until(self, words: str, stream: str = "stderr") -> list[str]:
        """Read lines until one holds `words`."""
        for line in getattr(self.process, stream):
            self.said.append(line.rstrip("\n"))
            if words in line:
                return self.said
        raise AssertionError(f"it ended before it said {words!r}: {self.said}")

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        with contextlib.suppress(ValueError):
            self.process.communicate(timeout=END_SECONDS_MAX)
        return self.process.wait(END_SECONDS_MAX)


@pytest.fixture
def up(surroundings: dict[str, str]) -> Iterator[Any]:
    made: list[Up] = []

    def start(*words: object) -> Up:
        made.append(Up(surroundings, *words))
        return made[-1]

    yield start
    for one in made:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait(END_SECONDS_MAX)
        for stream in (one.process.stdout, one.process.stderr):
            assert stream is not None
            stream.close()


def test_it_announces_its_address_its_new_key_and_the_next_step(up: Any, tmp_path: Path) -> None:
    one = up("--data", tmp_path / "data", "--port", 0)
    said = "\n".join(one.until("Ctrl-C stops it."))
    key = json.loads((tmp_path / "data" / "root-key.json").read_text())
    assert f"serves http://127.0.0.1:{port_of(tmp_path / 'data')}" in said
    assert "shown this once" in said
    assert key["access_key_id"] in said
    assert key["secret_access_key"] in said
    assert f'eval "$(cumulet env --data {tmp_path / "data"})"' in said
    assert one.end() == 0


def port_of(data: Path) -> int:
    return int(json.loads((data / "run.json").read_text())["endpoint"].rsplit(":", 1)[1])


def test_it_shows_the_secret_only_on_the_first_start(up: Any, tmp_path: Path) -> None:
    one = up("--data", tmp_path / "data", "--port", 0)
    one.until("Ctrl-C")
    assert one.end() == 0
    secret = json.loads((tmp_path / "data" / "root-key.json").read_text())["secret_access_key"]
    again = up("--data", tmp_path / "data", "--port", 0)
    assert secret not in "\n".join(again.until("Ctrl-C"))
    assert again.end() == 0


def test_json_tells_programs_where_it_is(up: Any, tmp_path: Path) -> None:
    one = up("--json", "--data", tmp_path / "data", "--port", 0)
    text = "\n".join(one.until("}", "stdout"))
    told = json.loads(text)
    assert told["pid"] == one.process.pid
    assert told["data"] == str(tmp_path / "data")
    with urllib.request.urlopen(f"{told['endpoint']}/_cumulet/health") as answer:
        assert json.loads(answer.read())["status"] == "running"
    assert one.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda one: one.name)
def test_a_signal_ends_it_in_order(up: Any, tmp_path: Path, number: int) -> None:
    one = up("--json", "--data", tmp_path / "data", "--port", 0)
    one.until("}", "stdout")
    assert (tmp_path / "data" / "run.json").exists()
    assert one.end(number) == 0
    assert not (tmp_path / "data" / "run.json").exists()


def test_a_second_process_on_the_same_data_is_refused(up: Any, run: Run, tmp_path: Path) -> None:
    one = up("--json", "--data", tmp_path / "data", "--port", 0)
    one.until("}", "stdout")
    second = run("up", "--data", tmp_path / "data", "--port", 0)
    assert second.code == 1
    assert f"error: another process serves {tmp_path / 'data'}" in second.err
    assert "hint:" in second.err
    assert "Traceback" not in second.err
    assert port_of(tmp_path / "data")  # The first one can still be found.
    assert one.end() == 0


def test_a_port_in_use_is_refused_with_a_hint(run: Run, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("up", "--data", tmp_path / "data", "--port", port)
    assert done.code == 1
    assert f"error: cannot listen on 127.0.0.1:{port}" in done.err
    assert "hint: choose another port with --port" in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "data" / "run.json").exists()


@pytest.mark.parametrize("key", ["test", ":secret", "test:", "a b:c", "a/b:c"])
def test_a_key_that_is_not_one_is_a_mistake_of_usage(run: Run, tmp_path: Path, key: str) -> None:
    done = run("up", "--data", tmp_path / "data", "--port", 0, "--key", key)
    assert done.code == 2
    assert "error: a key" in done.err
    assert not (tmp_path / "data").exists()


def test_added_keys_sign_for_their_accounts(new_cloud: Any) -> None:
    cloud = new_cloud("--key", "test:test", "--key", "123456789012:secret")
    plain = cloud.client("sts", key=("test", "test")).get_caller_identity()
    digits = cloud.client("sts", key=("123456789012", "secret")).get_caller_identity()
    assert plain["Arn"] == "arn:aws:iam::000000000000:root"
    assert digits["Arn"] == "arn:aws:iam::123456789012:root"


def test_what_it_keeps_is_for_its_owner_only(new_cloud: Any) -> None:
    data = new_cloud().data
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    for name in ("master.key", "root-key.json", "run.json"):
        assert stat.S_IMODE((data / name).stat().st_mode) == 0o600, name


def test_a_lost_root_key_is_said_and_not_replaced(new_cloud: Any, run: Run) -> None:
    cloud = new_cloud()
    cloud.stop()
    (cloud.data / "root-key.json").unlink()
    done = run("up", "--data", cloud.data, "--port", 0)
    assert done.code == 1
    assert "root-key.json is gone" in done.err
    assert "backup" in done.err


def test_a_damaged_master_key_is_said(new_cloud: Any, run: Run) -> None:
    cloud = new_cloud()
    cloud.stop()
    (cloud.data / "master.key").write_bytes(b"short")
    done = run("up", "--data", cloud.data, "--port", 0)
    assert done.code == 1
    assert "master.key is damaged" in done.err
    assert "Traceback" not in done.err


def test_tls_serves_with_an_authority_of_its_own(new_cloud: Any, run: Run) -> None:
    cloud = new_cloud("--tls")
    assert cloud.endpoint.startswith("https://")
    authority = json.loads((cloud.data / "run.json").read_text())["authority"]
    trust = ssl.create_default_context(cafile=authority)
    with urllib.request.urlopen(f"{cloud.endpoint}/_cumulet/health", context=trust) as answer:
        assert answer.status == 200
    cloud.session().client("s3", endpoint_url=cloud.endpoint, verify=authority).create_bucket(
        Bucket="by-tls"
    )
    listed = run("ls", "buckets", "--json", "--data", cloud.data)
    assert listed.code == 0
    assert "by-tls" in {row["bucket"] for row in listed.json["buckets"]}
    assert f"export AWS_CA_BUNDLE={authority}" in run("env", "--data", cloud.data).out


def test_a_folder_that_cannot_be_written_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = run("up", "--data", tmp_path / "file" / "data", "--port", 0)
    assert done.code == 1
    assert "Traceback" not in done.err
    assert str(tmp_path / "file") in done.err


def test_localstacks_health_page_answers_too(cloud: Any) -> None:
    status, body = cloud.get("/_localstack/health")
    services = json.loads(body)["services"]
    assert status == 200
    assert services["s3"] == services["lambda"] == "running"


def test_it_holds_what_is_in_hand_until_it_is_answered(new_cloud: Any) -> None:
    cloud = new_cloud()
    client = cloud.client("s3", signature_version="s3v4")
    client.create_bucket(Bucket="drain")
    answers: list[int] = []
    sent, go_on = threading.Event(), threading.Event()

    class Slow:
        """A body whose second half comes after the signal."""

        def __init__(self) -> None:
            self.parts = iter([b"a" * 65_536, b"b" * 65_536])

        def read(self, size: int = -1) -> bytes:
            part = next(self.parts, b"")
            if part.startswith(b"b"):
                sent.set()
                go_on.wait(END_SECONDS_MAX)
            return part

    def upload() -> None:
        url = client.generate_presigned_url("put_object", {"Bucket": "drain", "Key": "slow"})
        request = urllib.request.Request(url, data=Slow(), method="PUT")
        request.add_header("Content-Length", "131072")
        with urllib.request.urlopen(request, timeout=END_SECONDS_MAX) as answer:
            answers.append(answer.status)

    thread = threading.Thread(target=upload)
    thread.start()
    assert sent.wait(END_SECONDS_MAX)
    assert cloud.process is not None
    os.kill(cloud.process.pid, signal.SIGTERM)
    go_on.set()
    thread.join(END_SECONDS_MAX)
    assert cloud.process.wait(END_SECONDS_MAX) == 0
    cloud.stop()
    assert answers == [200]
    cloud.start()
    kept = cloud.client("s3").head_object(Bucket="drain", Key="slow")
    assert kept["ContentLength"] == 131_072


def test_with_apps_deploys_them_and_says_what_to_try(new_cloud: Any) -> None:
    applications = Path(__file__).parent.parent.parent / "apps"
    cloud = new_cloud("--with-apps", str(applications))
    cfn = cloud.client("cloudformation")

    def said() -> str:
        return str(cloud.log.read_text())

    deadline, pause = time.monotonic() + 120, threading.Event()
    while "2 of 2 applications deployed" not in said():
        assert time.monotonic() < deadline, said()
        pause.wait(0.2)
    assert {s["StackStatus"] for s in cfn.describe_stacks()["Stacks"]} == {"CREATE_COMPLETE"}
    found = re.search(r'curl "(http://\S+)"', said())
    assert found is not None
    with urllib.request.urlopen(found[1], timeout=20) as answer:
        assert json.loads(answer.read())["sum"] == 30


def test_as_many_files_are_allowed_as_the_system_lets_it_have(new_cloud: Any):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
    try:
        cloud = new_cloud()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    limits = Path(f"/proc/{cloud.process.pid}/limits").read_text()
    line = next(line for line in limits.splitlines() if line.startswith("Max open files"))
    allowed, most = line.split()[3:5]
    assert allowed == most or int(allowed) == 65_536
