"""The streaming chat on a cloud of its own, with a scripted server for a model.

The CDK takes long to write what it deploys; so that is done once for each state of the application,
and kept with the client programs.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.conftest import Cloud
from tests.journeys.chat.scripted import ScriptedServer

from cumulet.cli.addresses import local_url
from cumulet.cli.deploying.assembly import synthesize
from cumulet.cli.say import Progress

ROOT = Path(__file__).parent.parent.parent.parent
APPLICATION = ROOT / "apps" / "streaming-chat"
CLIENTS = ROOT / ".cache" / "clients"
LIBRARY = CLIENTS / "node" / "node_modules"
PAGE = LIBRARY / "amazon-cognito-identity-js"
CDK = CLIENTS / "cdk" / "bin"
LEFT_OUT = shutil.ignore_patterns(
    "node_modules", "build", "cdk.out", ".cumulet", "__pycache__", "test_app.py", "README.md"
)
DEPLOY_SECONDS_MAX = 300
MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
SCRIPTED = f"""
[[model]]
id = "{MODEL}"
provider = "openai"
url = "{{url}}"
name = "scripted"
concurrency = 200
queue = 200
"""
WIDE = {"RequestsPerSecond": "2000", "RequestsAtOnce": "2000"}


def copy_application(target: Path) -> Path:
    """The application with the library of its page beside it; skips where that cannot be had."""
    for place, name in ((CDK / "python", "the CDK's library"), (PAGE, "the page's library")):
        if not place.exists():
            pytest.skip(f"{name} is not installed here; `make clients` installs what can be had")
    shutil.copytree(APPLICATION, target, ignore=LEFT_OUT)
    (target / "web" / "node_modules").symlink_to(LIBRARY)
    return target


def search_path() -> str:
    """A PATH on which `python3` has the CDK's library."""
    return f"{CDK}:{os.environ['PATH']}"


def assembled() -> Path:
    """What the application's program writes, made when this state of it has none yet."""
    digest = hashlib.sha256()
    for path in sorted(APPLICATION.rglob("*")):
        if path.is_file() and not LEFT_OUT("", path.relative_to(APPLICATION).parts):
            digest.update(f"{path.relative_to(APPLICATION)}\0".encode() + path.read_bytes())
    target = CLIENTS / "chat" / digest.hexdigest()[:16]
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            making = target.parent / "making"
            shutil.rmtree(making, ignore_errors=True)
            folder = copy_application(making)
            synthesize(folder, {"PATH": search_path()}, Progress()).rename(target)
            shutil.rmtree(making)
    return target


def as_its_users() -> ModuleType:
    """The application's own test, for its clients."""
    spec = importlib.util.spec_from_file_location("streaming_chat", APPLICATION / "test_app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass
class Chat:
    """The application, deployed."""

    cloud: Cloud
    server: ScriptedServer
    outputs: dict[str, str]
    clients: ModuleType

    def restart(self) -> None:
        """Start the cloud again on its data, at the address that everybody knows."""
        port = urlsplit(self.cloud.endpoint).port
        # The last word on a port is taken: a test's cloud is started with any free one.
        self.cloud.arguments = (*self.cloud.arguments, "--port", str(port))
        self.cloud.start()

    def user(self) -> Any:
        return self.clients.User(self.values(), self._users)

    @cached_property
    def _users(self) -> Any:
        # Passwords cost time; who asks for too many at once is told to come again, and does.
        patient = {"mode": "standard", "total_max_attempts": 8}
        return self.cloud.client("cognito-idp", retries=patient)

    def values(self) -> dict[str, str]:
        """What the application's own test wants to know."""
        return values_of(self.outputs, self.cloud)

    def table(self, name: str) -> list[dict[str, Any]]:
        """All items of the table whose name has this in it."""
        client = self.cloud.client("dynamodb")
        [found] = [one for one in client.list_tables()["TableNames"] if f"Tables{name}" in one]
        pages = client.get_paginator("scan").paginate(TableName=found, ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]

    def dead_letters(self) -> list[str]:
        """The ids of requests among the dead letters; each letter is looked at once."""
        client, found = self.cloud.client("sqs"), []
        while letters := client.receive_message(
            QueueUrl=self.outputs["Unanswered"], MaxNumberOfMessages=10, VisibilityTimeout=600
        ).get("Messages"):
            found += [json.loads(letter["Body"])["id"] for letter in letters]
        return found


def values_of(outputs: dict[str, str], cloud: Cloud) -> dict[str, str]:
    """The outputs as this machine reaches them, by the names of the application's own test."""
    bucket = (urlsplit(outputs["Page"]).hostname or "").partition(".s3-website")[0]
    return {
        "API": local_url(outputs["Api"], cloud.endpoint) or outputs["Api"],
        "SOCKET": local_url(outputs["Socket"], cloud.endpoint) or outputs["Socket"],
        "USER_POOL": outputs["UserPool"],
        "CLIENT": outputs["Client"],
        "UNANSWERED": outputs["Unanswered"],
        # Not every resolver knows names below localhost.
        "PAGE": f"{cloud.endpoint}/_s3-website/{bucket}/",
    }


@contextmanager
def deployed(folder: Path, models: str = SCRIPTED, **parameters: str) -> Iterator[Chat]:
    """The application on a new cloud with these models, with these parameters."""
    assembly = assembled()
    server = ScriptedServer().start()
    (folder / "models.toml").write_text(models.format(url=server.url))
    cloud = Cloud(folder / "data", "--models", str(folder / "models.toml")).start()
    try:
        words = [sys.executable, "-m", "cumulet", "deploy", str(assembly), "--json"]
        words += ["--data", str(cloud.data)]
        for name, value in {**WIDE, **parameters}.items():
            words += ["--parameter", f"{name}={value}"]
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=DEPLOY_SECONDS_MAX, check=False
        )
        assert done.returncode == 0, done.stderr
        yield Chat(cloud, server, json.loads(done.stdout)["Outputs"], as_its_users())
    finally:
        cloud.stop()
        server.stop()
