"""A cloud with models, and the server that runs them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conftest import Cloud
from tests.services.bedrock.model_server import ModelServer

PLAIN = (
    *("long", "thinks", "tool", "stepwise", "endless", "forever", "breaks", "fails", "garbage"),
    *("stops", "refuses400", "refuses401", "refuses429", "refuses500", "refuses503"),
)
FILE = """
[[model]]
id = "meta.llama3-1-8b-instruct-v1:0"
provider = "openai"
url = "{url}"
key = "secret-of-the-server"
name = "echo"
display_name = "Llama of ours"
count_tokens = true

[[model]]
id = "amazon.nova-lite-v1:0"
provider = "openai"
url = "{url}"
name = "sees"
images = true

[[model]]
id = "test.held"
provider = "openai"
url = "{url}"
name = "held"
concurrency = 1
queue = 1

[[model]]
id = "test.late"
provider = "openai"
url = "{url}"
name = "late"
concurrency = 1

[[model]]
id = "anthropic.*"
provider = "openai"
url = "{url}"
name = "claude"
"""


def entry(id_: str, url: str, name: str, more: str = "") -> str:
    lines = (f'id = "{id_}"', 'provider = "openai"', f'url = "{url}"', f'name = "{name}"', more)
    return "\n[[model]]\n" + "\n".join(lines) + "\n"


@pytest.fixture(scope="session")
def server() -> Iterator[ModelServer]:
    server = ModelServer()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    for event in ("go on", "let go", "late may begin"):
        server.events[event].set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def models(server: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud whose models are those of the server: `test.<name>` behaves by its name."""
    folder = tmp_path_factory.mktemp("models")
    text = FILE.format(url=server.url)
    text += "".join(entry(f"test.{name}", server.url, name) for name in PLAIN)
    text += "".join(
        entry(f"test.{name}", server.url, name, "timeout_seconds = 0.5")
        for name in ("quiet", "fades")
    )
    for vendor in ("test.patient", "anthropic.claude-patient"):
        text += entry(vendor, server.url, "patient")
    text += entry("test.nowhere", "http://127.0.0.1:1/v1", "nowhere")
    for vendor in ("mistral.mistral-7b-instruct-v0:2", "amazon.titan-text-lite-v1"):
        text += entry(vendor, server.url, "prompted")
    text += entry("mistral.mistral-large-2407-v1:0", server.url, "tool")
    (folder / "models.toml").write_text(text)
    cloud = Cloud(folder / "data", "--bare", "--models", str(folder / "models.toml")).start()
    yield cloud
    cloud.stop()


@pytest.fixture(scope="session")
def runtime(models: Cloud) -> Any:
    return models.client("bedrock-runtime")


@pytest.fixture(scope="session")
def control(models: Cloud) -> Any:
    return models.client("bedrock")
