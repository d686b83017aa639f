"""Fetches the protocol test vectors of the installed botocore into `.cache/protocol-vectors/`.

They are in botocore's source distribution, which is taken from the package index that pip is
configured with. Nothing of it is built or run: the JSON files are read out of the archive.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from html.parser import HTMLParser
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urldefrag, urljoin
from urllib.request import Request, urlopen

FOLDER = Path(__file__).parents[1] / ".cache" / "protocol-vectors"
INSIDE = "/tests/unit/protocols/"
ARCHIVE_BYTES_MAX = 200 * 1024 * 1024
FILE_BYTES_MAX = 8 * 1024 * 1024
TIMEOUT_S = 120


class _Links(HTMLParser):
    """The addresses that an index page links to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]


def main() -> int:
    """Fetch the vectors unless they are there already."""
    wanted = version("botocore")
    folder = FOLDER / wanted
    if (folder / "complete").is_file():
        return 0
    try:
        archive = _archive(wanted)
    except OSError as cause:
        print(f"Cannot fetch botocore {wanted}'s source distribution: {cause}", file=sys.stderr)
        return 1
    count = _unpack(archive, folder)
    print(f"{count} vector files of botocore {wanted} are in {folder}")
    return 0


def _archive(wanted: str) -> bytes:
    """The source distribution, checked against the hash that the index tells."""
    page = _index().rstrip("/") + "/botocore/"
    links = _Links()
    links.feed(_read(page, "text/html").decode())
    name = f"botocore-{wanted}.tar.gz"
    for link in links.found:
        address, fragment = urldefrag(urljoin(page, link))
        if address.rsplit("/", 1)[-1] == name:
            content = _read(address, "*/*")
            _check(content, fragment)
            return content
    raise OSError(f"the index has no {name}")


def _index() -> str:
    """The address of pip's package index."""
    if found := os.environ.get("PIP_INDEX_URL"):
        return found
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"],
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode == 0 and asked.stdout.strip():
        return asked.stdout.strip()
    default: str = importlib.import_module("pip._internal.models.index").PyPI.simple_url
    return default


def _read(address: str, accept: str) -> bytes:
    if not address.startswith(("https://", "http://", "file://")):
        raise OSError(f"an address of an unexpected kind: {address}")
    with urlopen(Request(address, headers={"Accept": accept}), timeout=TIMEOUT_S) as answer:
        content: bytes = answer.read(ARCHIVE_BYTES_MAX + 1)
    if len(content) > ARCHIVE_BYTES_MAX:
        raise OSError("the archive is larger than expected")
    return content


def _check(content: bytes, fragment: str) -> None:
    kind, _, told = fragment.partition("=")
    if kind == "sha256" and hashlib.sha256(content).hexdigest() != told:
        raise OSError("the archive does not have the hash that the index tells")


def _unpack(archive: bytes, folder: Path) -> int:
    """Write the vectors, and last a mark that they are all there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=folder.parent))
    count = 0
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as files:
        for member in files:
            _, found, path = member.name.partition(INSIDE)
            if not found or not member.isfile() or not path.endswith(".json"):
                continue
            if member.size > FILE_BYTES_MAX or ".." in path:
                continue
            source = files.extractfile(member)
            if source is not None:
                count += _keep(draft / path, source.read())
    (draft / "complete").touch()
    shutil.rmtree(folder, ignore_errors=True)
    draft.replace(folder)
    return count


def _keep(target: Path, content: bytes) -> int:
    json.loads(content)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return 1


if __name__ == "__main__":
    sys.exit(main())
