"""The one configuration: command-line values and environment, read here and nowhere else."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from cumulet.app.telemetry.settings import TelemetrySettings

DEFAULT_PORT = 4566
DEFAULT_REGION = "us-east-1"
DEFAULT_ACCOUNT = "000000000000"
_HOST = re.compile(r"(?:[0-9A-Za-z.-]+|\[[0-9A-Fa-f:.]+\])(?::\d+)?\Z")

VARIABLES = {
    "AWS_ACCESS_KEY_ID": "With `AWS_ENDPOINT_URL`: the key that commands sign with.",
    "AWS_CONFIG_FILE": "Where `cumulet env --profile` writes the profile's settings.",
    "AWS_DEFAULT_REGION": "The region of commands, where `AWS_REGION` is not set.",
    "AWS_ENDPOINT_URL": "The cloud that commands speak to, where the data folder has none.",
    "AWS_REGION": "The region of commands; else that of the running cloud.",
    "AWS_SECRET_ACCESS_KEY": "The secret that belongs to `AWS_ACCESS_KEY_ID`.",
    "AWS_SHARED_CREDENTIALS_FILE": "Where `cumulet env --profile` writes the profile's key.",
    "CUMULET_DATA": "The data folder, where `--data` is not given.",
    "CUMULET_METRICS_TOKEN_FILE": "The token file, where `--metrics-token-file` is not given.",
    "CUMULET_OTLP": "The collector, where `--otlp` is not given.",
    "CUMULET_PUBLIC_URL": "The address for others, where `--public-url` is not given.",
    "CUMULET_SMTP": "The mail server, where `--smtp` is not given.",
    "HOME": "Below it are the data folder and the AWS profiles.",
    "NO_COLOR": "When set, commands print no colours.",
    "XDG_DATA_HOME": "The folder of data folders; else `~/.local/share`.",
}
"""The environment variables that the program reads, and what each does."""

Isolation = Literal["require", "best-effort", "none"]


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key pair that its owner chose, as given by `--key ID:SECRET`."""

    access_key_id: str
    secret: str

    @property
    def account(self) -> str:
        """The key's account: itself when it is twelve digits (LocalStack's habit)."""
        digits = len(self.access_key_id) == 12 and self.access_key_id.isdigit()
        return self.access_key_id if digits else DEFAULT_ACCOUNT


@dataclass(frozen=True, slots=True)
class Config:
    """How one cloud runs. Everything has a default but the folder."""

    data: Path
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    region: str = DEFAULT_REGION
    public_url: str = ""
    keys: tuple[KnownKey, ...] = ()
    tls: bool = False
    tls_names: tuple[str, ...] = ()
    isolation: Isolation = "best-effort"
    strict_runtimes: bool = False
    function_network: bool = True
    drain_seconds: float = 20.0
    log_requests: bool = False
    tool_stacks: bool = True
    models: Path | None = None
    smtp: str = field(default="", repr=False)
    telemetry: TelemetrySettings = field(default_factory=TelemetrySettings)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def cache(self) -> Path:
        """Where derived files go that may be deleted at any time."""
        return self.data / "cache"

    @property
    def models_file(self) -> Path:
        """Which models Bedrock has: the file that was named, or the data folder's."""
        return self.models or self.data / "models.toml"

    @property
    def scheme(self) -> str:
        """`https` when TLS was asked for."""
        return "https" if self.tls else "http"


def default_data(environment: Mapping[str, str] | None = None) -> Path:
    """`$CUMULET_DATA`, or `cumulet` in the user's data folder (XDG)."""
    env = os.environ if environment is None else environment
    if chosen := env.get("CUMULET_DATA"):
        return Path(chosen)
    home = Path(env.get("XDG_DATA_HOME") or Path(env.get("HOME", ".")) / ".local" / "share")
    return home / "cumulet"


def parse_key(text: str) -> KnownKey:
    """`ID:SECRET` as a key. Raises ValueError with a sentence for people."""
    access_key_id, separator, secret = text.partition(":")
    if not separator or not access_key_id or not secret:
        raise ValueError("a key is written ID:SECRET, for example test:test")
    if len(access_key_id) > 128 or not access_key_id.isalnum():
        raise ValueError("a key id has letters and digits only, at most 128")
    return KnownKey(access_key_id, secret)


def parse_public_url(text: str) -> str:
    """The address by which other machines reach the cloud. Raises ValueError with a sentence."""
    try:
        parts = urlsplit(text)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or not _HOST.match(parts.netloc) or parts.path not in ("", "/") or parts.query:
        raise ValueError("a public URL is written https://cloud.example.com, without a path")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def environment() -> Mapping[str, str]:
    """The process's environment, for what is passed on to programs that we start."""
    return dict(os.environ)
