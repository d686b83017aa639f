"""The fetching of protocol vectors, from an index made of files."""

import hashlib
import importlib.util
import io
import tarfile
from importlib.metadata import version
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[3] / "tools" / "fetch_vectors.py"
WANTED = version("botocore")


@pytest.fixture
def tool(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("tools_fetch_vectors", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "FOLDER", tmp_path / "vectors")
    return module


def archive(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        for name, content in files.items():
            member = tarfile.TarInfo(f"botocore-{WANTED}/{name}")
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def serve(tool, monkeypatch, content, digest=None):
    name = f"botocore-{WANTED}.tar.gz"
    digest = digest or hashlib.sha256(content).hexdigest()
    page = f'<a href="../other-1.tar.gz">x</a><a href="files/{name}#sha256={digest}">y</a>'
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.invalid/simple")
    answers = {
        "https://index.invalid/simple/botocore/": page.encode(),
        f"https://index.invalid/simple/botocore/files/{name}": content,
    }
    monkeypatch.setattr(tool, "_read", lambda address, accept: answers[address])


GOOD = {
    "tests/unit/protocols/input/json.json": b"[]",
    "tests/unit/protocols/legacy/output/query.json": b"[1]",
    "tests/unit/protocols/../../evil.json": b"{}",
    "tests/unit/other.json": b"{}",
    "setup.py": b"raise SystemExit('built')",
}


def test_only_the_vectors_are_kept(tool, monkeypatch):
    serve(tool, monkeypatch, archive(GOOD))
    assert tool.main() == 0
    folder = tool.FOLDER / WANTED
    kept = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert kept == ["complete", "input/json.json", "legacy/output/query.json"]
    assert [path.name for path in tool.FOLDER.iterdir()] == [WANTED]


def test_what_is_there_is_not_fetched_again(tool, monkeypatch):
    serve(tool, monkeypatch, archive(GOOD))
    assert tool.main() == 0
    monkeypatch.setattr(tool, "_read", None)
    assert tool.main() == 0


def test_a_wrong_hash_is_refused(tool, monkeypatch, capsys):
    serve(tool, monkeypatch, archive(GOOD), digest="0" * 64)
    assert tool.main() == 1
    assert "hash" in capsys.readouterr().err
    assert not tool.FOLDER.exists()


def test_an_index_without_it_is_told(tool, monkeypatch, capsys):
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.invalid/simple")
    monkeypatch.setattr(tool, "_read", lambda address, accept: b"<html></html>")
    assert tool.main() == 1
    assert f"botocore-{WANTED}.tar.gz" in capsys.readouterr().err


def test_other_kinds_of_addresses_are_refused(tool):
    with pytest.raises(OSError, match="unexpected kind"):
        tool._read("ftp://index.invalid/x", "*/*")
