"""Packaging: local code and documents go to the bucket of deployments, under their digest."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from cumulet.cli.reach import Reach
from cumulet.cli.say import Progress, fail

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every entry, so that the same code has the same digest."""

Location = Callable[[str, str], Any]


def _uri(bucket: str, key: str) -> Any:
    return f"s3://{bucket}/{key}"


def _code(bucket: str, key: str) -> Any:
    return {"S3Bucket": bucket, "S3Key": key}


def _body(bucket: str, key: str) -> Any:
    return {"Bucket": bucket, "Key": key}


# Type → property → how the uploaded place is written; as `aws cloudformation package` has it.
_ARCHIVES: dict[tuple[str, str], Location] = {
    ("AWS::Serverless::Function", "CodeUri"): _uri,
    ("AWS::Serverless::LayerVersion", "ContentUri"): _uri,
    ("AWS::Lambda::Function", "Code"): _code,
    ("AWS::Lambda::LayerVersion", "Content"): _code,
}
_FILES: dict[tuple[str, str], Location] = {
    ("AWS::Serverless::Api", "DefinitionUri"): _uri,
    ("AWS::Serverless::HttpApi", "DefinitionUri"): _uri,
    ("AWS::ApiGateway::RestApi", "BodyS3Location"): _body,
}


class Packager:
    """Uploads what a template names by local path, once per content."""

    def __init__(self, reach: Reach, folder: Path, progress: Progress) -> None:
        self._reach = reach
        self._folder = folder
        self._progress = progress
        self._client: Any = None
        self._bucket = ""
        self._done: dict[Path, str] = {}

    def package(self, document: dict[str, Any]) -> str:
        """Upload everything, the template with every local path replaced last; returns its URL."""
        shared = document.get("Globals", {}).get("Function", {})
        for logical_id, resource in document.get("Resources", {}).items():
            kind = resource.get("Type", "")
            properties = resource.setdefault("Properties", {})
            for (of, member), location in {**_ARCHIVES, **_FILES}.items():
                if of != kind:
                    continue
                value = properties.get(member)
                if value is None and of == "AWS::Serverless::Function":
                    value = shared.get(member)
                if isinstance(value, str) and not value.startswith("s3://"):
                    key = self._upload(logical_id, value, archive=(of, member) in _ARCHIVES)
                    properties[member] = location(self._bucket, key)
        shared.pop("CodeUri", None)
        with tempfile.TemporaryFile() as file:
            file.write(json.dumps(document, default=str).encode())
            key = self._put("the template", file)
        return f"{self._reach.endpoint}/{self._bucket}/{key}"

    def _upload(self, logical_id: str, value: str, *, archive: bool) -> str:
        path = (self._folder / value).resolve()
        if path in self._done:
            return self._done[path]
        if not path.exists():
            fail(f"{logical_id}: {value} is not there", f"looked in {self._folder}")
        self._progress.step(f"packing {logical_id}")
        with tempfile.TemporaryFile() as file:
            if archive and path.suffix != ".zip":
                write_archive(path, file)
            else:
                file.write(path.read_bytes())
            self._done[path] = self._put(logical_id, file)
        return self._done[path]

    def _put(self, logical_id: str, file: IO[bytes]) -> str:
        file.seek(0)
        key = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type] # A file of any kind will do.
        client = self._connect()
        from botocore.exceptions import ClientError

        try:
            client.head_object(Bucket=self._bucket, Key=key)
        except ClientError:
            size = file.seek(0, os.SEEK_END)
            self._progress.step(f"uploading {logical_id} ({size / 1e6:.1f} MB)")
            file.seek(0)
            client.upload_fileobj(file, self._bucket, key)
        return key

    def _connect(self) -> Any:
        if self._client is None:
            account = self._reach.client("sts").get_caller_identity()["Account"]
            self._bucket = f"cumulet-deployments-{account}-{self._reach.region}"
            self._client = self._reach.client("s3")
            where = {"LocationConstraint": self._reach.region}
            created: dict[str, Any] = {"Bucket": self._bucket}
            if self._reach.region != "us-east-1":
                created["CreateBucketConfiguration"] = where
            with contextlib.suppress(self._client.exceptions.BucketAlreadyOwnedByYou):
                self._client.create_bucket(**created)
        return self._client


def write_archive(path: Path, file: IO[bytes]) -> None:
    """A zip of a folder (or one file): sorted, without times, so that it is reproducible."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        if path.is_file():
            _add(archive, path, path.name)
            return
        for found in sorted(path.rglob("*")):
            if found.is_file() and "__pycache__" not in found.parts:
                _add(archive, found, str(found.relative_to(path)))


def _add(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    executable = path.stat().st_mode & stat.S_IXUSR
    entry.external_attr = (0o100755 if executable else 0o100644) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, path.read_bytes())
