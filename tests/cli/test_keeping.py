"""`cumulet check`, `doctor`, `backup` and `restore`: the data, and the machine under it."""

from __future__ import annotations

import asyncio
import stat
import subprocess
from pathlib import Path
from typing import Any

from tests.cli.conftest import Run

from cumulet.kv.contract import Transaction
from cumulet.kv.embedded import open_embedded
from cumulet.kv.tuples import AFTER, unpack

LARGE = bytes(range(256)) * 8192


def fill(cloud: Any) -> None:
    cloud.client("iam").create_user(UserName="kept")
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="small", Body=b"small")
    s3.put_object(Bucket="kept", Key="large", Body=LARGE)


def damage(data: Path) -> str:
    """Remove one entry of an index behind the cloud's back; returns the index's name."""

    async def remove_one(tx: Transaction) -> str:
        for key, _ in await tx.scan(b"", AFTER, limit=10_000):
            try:
                elements = unpack(key, count=4)
            except ValueError:
                continue
            if len(elements) == 4 and "/" in str(elements[3]):
                tx.clear(key)
                return str(elements[3])
        raise AssertionError("there is no index entry in the store")

    async def open_and_remove() -> str:
        store = open_embedded(data / "store")
        try:
            return await store.transact(remove_one)
        finally:
            await store.close()

    return asyncio.run(open_and_remove())


def test_check_finds_nothing_in_a_whole_cloud_running_or_not(new_cloud: Any, run: Run) -> None:
    cloud = new_cloud()
    fill(cloud)
    running = run("check", "--data", cloud.data)
    assert (running.code, running.out) == (0, "")
    assert f"{cloud.data} is whole" in running.err
    cloud.stop()
    stopped = run("check", "--json", "--data", cloud.data)
    assert (stopped.code, stopped.json) == (0, {"data": str(cloud.data), "findings": []})


def test_check_names_a_damaged_index_running_or_not(new_cloud: Any, run: Run) -> None:
    cloud = new_cloud()
    fill(cloud)
    cloud.client("iam").create_access_key(UserName="kept")
    cloud.stop()
    index = damage(cloud.data)
    stopped = run("check", "--data", cloud.data)
    assert stopped.code == 4
    assert index in stopped.out
    assert "1 finding(s)" in stopped.err
    cloud.start()
    running = run("check", "--json", "--data", cloud.data)
    assert running.code == 4
    assert len(running.json["findings"]) == 1


def test_check_names_the_record_whose_blob_is_gone(new_cloud: Any, run: Run) -> None:
    cloud = new_cloud()
    fill(cloud)
    [blob] = [path for path in (cloud.data / "blobs").rglob("*") if path.is_file()]
    blob.unlink()
    for _ in range(2):  # While it runs, and when it does not.
        done = run("check", "--data", cloud.data)
        assert done.code == 4
        assert f"its blob {blob.name} is not there" in done.out
        assert "kept" in done.out
        assert "large" in done.out
        cloud.stop()


def test_check_of_a_folder_without_a_cloud_is_said(run: Run, tmp_path: Path) -> None:
    done = run("check", "--data", tmp_path)
    assert done.code == 1
    assert f"there is no cloud in {tmp_path}" in done.err
    assert list(tmp_path.iterdir()) == [tmp_path / "home"]


def test_check_is_for_the_root_key_only(cloud: Any) -> None:
    words = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST"]
    for page in ("check", "backup"):
        url = f"{cloud.endpoint}/_cumulet/{page}"
        done = subprocess.run([*words, url], capture_output=True, text=True, check=True)
        assert done.stdout == "403"


def test_doctor_tells_what_this_machine_allows(run: Run, tmp_path: Path) -> None:
    done = run("doctor", "--json", "--data", tmp_path / "data")
    states = {finding["what"]: finding["state"] for finding in done.json}
    assert done.code in (0, 4)
    assert done.code == (4 if "problem" in states.values() else 0)
    assert {"cumulet", "system", "disk", "sync", "Node.js", "SAM"} <= set(states)
    assert any(what.startswith("isolation") for what in states)
    assert not (tmp_path / "data").exists()
    for_people = run("doctor", "--data", tmp_path / "data")
    assert for_people.code == done.code
    assert for_people.out.startswith("[ok]      cumulet: ")


def test_a_backup_of_a_running_cloud_restores_the_same_data(
    new_cloud: Any, run: Run, tmp_path: Path
) -> None:
    cloud = new_cloud()
    fill(cloud)
    done = run("backup", tmp_path / "backup", "--json", "--data", cloud.data)
    assert (done.code, done.json["backup"]) == (0, str(tmp_path / "backup"))
    cloud.client("s3").put_object(Bucket="kept", Key="later", Body=b"later")
    restored = tmp_path / "restored"
    assert run("restore", tmp_path / "backup", "--data", restored).code == 0
    assert run("check", "--data", restored).code == 0
    other = new_cloud(name="restored")
    assert other.root_key == cloud.root_key
    assert other.client("iam").get_user(UserName="kept")["User"]["UserName"] == "kept"
    s3 = other.client("s3")
    keys = [row["Key"] for row in s3.list_objects_v2(Bucket="kept")["Contents"]]
    assert keys == ["large", "small"]
    assert s3.get_object(Bucket="kept", Key="large")["Body"].read() == LARGE


def test_a_backup_of_a_stopped_cloud_is_the_same(new_cloud: Any, run: Run, tmp_path: Path) -> None:
    cloud = new_cloud()
    fill(cloud)
    cloud.stop()
    assert run("backup", tmp_path / "backup", "--data", cloud.data).code == 0
    assert stat.S_IMODE((tmp_path / "backup" / "master.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o700
    assert run("restore", tmp_path / "backup", "--data", tmp_path / "restored").code == 0
    other = new_cloud(name="restored")
    body = other.client("s3").get_object(Bucket="kept", Key="small")["Body"].read()
    assert body == b"small"


def test_nothing_is_written_over(new_cloud: Any, run: Run, tmp_path: Path) -> None:
    cloud = new_cloud()
    assert run("backup", tmp_path / "backup", "--data", cloud.data).code == 0
    again = run("backup", tmp_path / "backup", "--data", cloud.data)
    assert again.code == 1
    assert "is not empty" in again.err
    over = run("restore", tmp_path / "backup", "--data", cloud.data)
    assert over.code == 1
    assert "is not empty" in over.err
    assert cloud.client("sts").get_caller_identity()["Account"] == "000000000000"


def test_a_folder_that_is_no_backup_is_not_restored(run: Run, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    done = run("restore", tmp_path / "other", "--data", tmp_path / "data")
    assert done.code == 1
    assert "is not a backup" in done.err
    assert not (tmp_path / "data").exists()
