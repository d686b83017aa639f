"""What Lambda remembers: functions, versions, aliases, layers, policies, URLs and queued events.

Frozen records and the pure rules on them; how they look on the wire is in `forms/describe.py`. A
`token` is the one of the CloudFormation step that made the record, so that the step can be tried
again.
"""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.services.lambda_.forms.names import LATEST, is_version
from cumulet.services.lambda_.limits import (
    EPHEMERAL_MB_DEFAULT,
    EVENT_AGE_SECONDS_DEFAULT,
    MEMORY_MB_DEFAULT,
    RETRIES_DEFAULT,
    TIMEOUT_SECONDS_DEFAULT,
)


class Package(msgspec.Struct, frozen=True):
    """A code package or layer archive: its blob, and what AWS tells of it.

    `digest` is the SHA-256 in hexadecimal, which also names the unpacked folder.
    """

    blob_id: str
    digest: str
    size_bytes: int
    unzipped_bytes: int


class LayerUse(msgspec.Struct, frozen=True):
    """A layer as a function uses it: pinned, so that the function outlives the layer."""

    arn: str
    package: Package


class Logging(msgspec.Struct, frozen=True):
    """Where and how a function logs; the levels are empty for the text format."""

    group: str
    format: str = "Text"
    application_level: str = ""
    system_level: str = ""


class Settings(msgspec.Struct, frozen=True):
    """What a published version freezes besides its code.

    `environment` is sealed JSON, or None without variables; it stays the same bytes until the
    variables change, so that equal settings compare as equal.
    """

    runtime: str
    role: str
    handler: str
    logging: Logging
    description: str = ""
    timeout_seconds: int = TIMEOUT_SECONDS_DEFAULT
    memory_mb: int = MEMORY_MB_DEFAULT
    ephemeral_mb: int = EPHEMERAL_MB_DEFAULT
    environment: bytes | None = None
    layers: tuple[LayerUse, ...] = ()
    architecture: str = "x86_64"
    tracing: str = "PassThrough"
    dead_letter_arn: str = ""


class Version(msgspec.Struct, frozen=True):
    """One version of a function; number 0 is `$LATEST`, the only one that changes."""

    function: str
    number: int
    settings: Settings
    package: Package
    modified: float
    revision: str
    runtime_updates: str = "Auto"
    runtime_pin: str = ""
    token: str = ""

    @property
    def label(self) -> str:
        """The version as AWS writes it."""
        return LATEST if self.number == 0 else str(self.number)

    @property
    def blob_ids(self) -> set[str]:
        """The blobs it needs: its package and those of its layers."""
        return {self.package.blob_id, *(use.package.blob_id for use in self.settings.layers)}


class Function(msgspec.Struct, frozen=True):
    """What belongs to a function and to none of its versions.

    `reserved` is the reserved concurrency, None when it has none.
    """

    name: str
    last_number: int = 0
    tags: dict[str, str] = {}
    reserved: int | None = None
    recursive_loop: str = "Terminate"
    token: str = ""


class Alias(msgspec.Struct, frozen=True):
    """A name for one version, or for two with a weight for the second."""

    function: str
    name: str
    number: int
    description: str
    revision: str
    weights: dict[str, float] = {}
    token: str = ""

    @property
    def label(self) -> str:
        """The version it points to, as AWS writes it."""
        return LATEST if self.number == 0 else str(self.number)


class Policy(msgspec.Struct, frozen=True):
    """The resource policy of a function (empty qualifier), of a version or of an alias."""

    function: str
    qualifier: str
    statements: tuple[dict[str, Any], ...]
    revision: str


class EventConfig(msgspec.Struct, frozen=True):
    """How asynchronous events of a function or qualifier are retried, and where they end."""

    function: str
    qualifier: str
    modified: float
    retries: int | None = None
    age_seconds: int | None = None
    on_success: str = ""
    on_failure: str = ""

    @property
    def retries_max(self) -> int:
        """Attempts after the first."""
        return RETRIES_DEFAULT if self.retries is None else self.retries

    @property
    def age_seconds_max(self) -> int:
        """How old an event may grow before it is given up."""
        return EVENT_AGE_SECONDS_DEFAULT if self.age_seconds is None else self.age_seconds


class Url(msgspec.Struct, frozen=True):
    """A function URL of a function or of an alias. `cors` is as AWS spells it."""

    function: str
    qualifier: str
    url_id: str
    auth: str
    mode: str
    created: float
    modified: float
    cors: dict[str, Any] | None = None
    token: str = ""


class UrlHome(msgspec.Struct, frozen=True):
    """Where the function of a URL lives: URLs are found by their id alone."""

    url_id: str
    account: str
    region: str
    function: str
    qualifier: str


class Layer(msgspec.Struct, frozen=True):
    """A layer's name and the last number given to a version, so that none is given twice."""

    name: str
    last_number: int


class LayerVersion(msgspec.Struct, frozen=True):
    """One immutable version of a layer, with its resource policy."""

    layer: str
    number: int
    package: Package
    created: float
    description: str = ""
    licence: str = ""
    runtimes: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    statements: tuple[dict[str, Any], ...] = ()
    policy_revision: str = ""
    token: str = ""


class Event(msgspec.Struct, frozen=True):
    """An asynchronous event that waits for its (next) attempt.

    `due` and `received` are epoch seconds. `attempts` counts failures of the function's code,
    `throttles` what was put off for want of capacity.
    """

    due: float
    event_id: str
    account: str
    region: str
    function: str
    qualifier: str
    received: float
    size_bytes: int
    attempts: int = 0
    throttles: int = 0
    trace_id: str = ""


class EventPart(msgspec.Struct, frozen=True):
    """A piece of an event's payload."""

    event_id: str
    number: int
    content: bytes


def number_of(label: str) -> int:
    """The number of a version label."""
    return 0 if label == LATEST else int(label)


def is_label(qualifier: str) -> bool:
    """Whether a qualifier is a version's and not an alias's."""
    return qualifier in ("", LATEST) or is_version(qualifier)


def is_unchanged(latest: Version, published: Version) -> bool:
    """Whether publishing would only repeat the last published version."""
    mine = msgspec.structs.replace(latest.settings, description="")
    theirs = msgspec.structs.replace(published.settings, description="")
    return latest.package.digest == published.package.digest and mine == theirs
