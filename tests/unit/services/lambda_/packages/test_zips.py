from __future__ import annotations

import asyncio
import io
import stat
import struct
import warnings
import zipfile
from pathlib import Path

import pytest

from cumulet.services.lambda_.errors import InvalidParameterValueException, InvalidZipFileException
from cumulet.services.lambda_.packages import zips
from cumulet.services.lambda_.packages.zips import Folders, measure, unpack


def archive(path: Path, entries: dict[str, bytes], *, executable: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            mode = 0o755 if name == executable else 0o644
            entry.external_attr = (stat.S_IFREG | mode) << 16
            made.writestr(entry, content)
    return path


def test_a_package_is_measured_and_unpacked_read_only(tmp_path: Path) -> None:
    made = archive(tmp_path / "z", {"a.py": b"1", "d/run": b"22", "d/e/": b""}, executable="d/run")
    assert measure(made) == 3
    unpack(made, tmp_path / "out")
    assert (tmp_path / "out/a.py").read_bytes() == b"1"
    assert stat.S_IMODE((tmp_path / "out/a.py").stat().st_mode) == 0o444
    assert stat.S_IMODE((tmp_path / "out/d/run").stat().st_mode) == 0o555
    assert (tmp_path / "out/d/e").is_dir()
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".part"] == []


def test_what_is_no_package_is_refused(tmp_path: Path) -> None:
    whole = archive(tmp_path / "z", {"a": b"x" * 1000}).read_bytes()
    for name, content in {
        "empty": b"",
        "text": b"hello",
        "cut": whole[:-10],
        "no-files": io.BytesIO(b"PK\x05\x06" + bytes(18)).getvalue(),
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InvalidParameterValueException):
            measure(tmp_path / name)


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/x", "a\\..\\x"])
def test_names_that_lead_outside_are_refused(tmp_path: Path, name: str) -> None:
    made = archive(tmp_path / "z", {name: b"x"})
    with pytest.raises(InvalidParameterValueException):
        measure(made)
    with pytest.raises(InvalidParameterValueException):
        unpack(made, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_links_are_refused(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "z", "w") as made:
        made.writestr(entry, "/etc/passwd")
    with pytest.raises(InvalidParameterValueException):
        measure(tmp_path / "z")


def test_sizes_that_lie_do_not_fill_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = archive(tmp_path / "z", {"a": b"\0" * 100_000})
    content = made.read_bytes()
    declared = struct.pack("<L", 100_000)
    assert content.count(declared) >= 2
    made.write_bytes(content.replace(declared, struct.pack("<L", 10)))
    monkeypatch.setattr(zips, "UNZIPPED_BYTES_MAX", 50_000)
    with pytest.raises((InvalidParameterValueException, zipfile.BadZipFile)):
        unpack(made, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    written = sum(each.stat().st_size for each in tmp_path.rglob("a") if each.is_file())
    assert written <= 50_000


def test_folders_are_made_once_and_swept_when_unused(tmp_path: Path) -> None:
    made = archive(tmp_path / "z", {"a": b"x"})
    asked: list[str] = []

    async def locate(blob_id: str) -> Path:
        asked.append(blob_id)
        return made

    async def story() -> None:
        folders = Folders(tmp_path / "root", locate)
        opened = await asyncio.gather(*(folders.open("d1", "b1") for _ in range(5)))
        assert set(opened) == {tmp_path / "root/d1"}
        assert asked == ["b1"]
        await folders.open("d2", "b2")
        assert await folders.sweep(set()) == 0, "what was just opened stays"
        assert await folders.sweep({"d2"}) == 1
        assert [each.name for each in (tmp_path / "root").iterdir()] == ["d2"]
        assert await folders.open("d1", "b1") == tmp_path / "root/d1"
        assert (tmp_path / "root/d1/a").read_bytes() == b"x"

    asyncio.run(story())


def test_a_name_may_come_twice_and_the_last_counts(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z", "w") as made, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.writestr("a", b"1")
        made.writestr("a", b"2")
    unpack(tmp_path / "z", tmp_path / "out")
    assert (tmp_path / "out/a").read_bytes() == b"2"


def test_damage_that_shows_only_in_unpacking_is_told(tmp_path: Path) -> None:
    made = archive(tmp_path / "z", {"a": b"some text that will not match its checksum"})
    content = made.read_bytes()
    begin = content.index(b"a", 26) + 1
    made.write_bytes(content[:begin] + bytes(5) + content[begin + 5 :])
    clash = archive(tmp_path / "clash", {"a": b"x", "a/b": b"y"})

    async def locate(blob_id: str) -> Path:
        return tmp_path / blob_id

    async def story() -> None:
        folders = Folders(tmp_path / "root", locate)
        for blob_id in (made.name, clash.name):
            with pytest.raises(InvalidZipFileException):
                await folders.open(blob_id, blob_id)
            assert not (tmp_path / "root" / blob_id).exists()

    asyncio.run(story())
