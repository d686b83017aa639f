"""What the store keeps of tables, indexes, streams and tokens."""

from __future__ import annotations

import msgspec

from cumulet.core.identity import Scope


class Throughput(msgspec.Struct, frozen=True):
    """Provisioned units per second; zero for on-demand tables."""

    read: int = 0
    write: int = 0


class OnDemand(msgspec.Struct, frozen=True):
    """The most units per second of an on-demand table; -1 for no bound."""

    read: int = -1
    write: int = -1


class Index(msgspec.Struct, frozen=True):
    """A secondary index.

    `number` tells its entries from those of other indexes of the table, also earlier ones.
    `hashes` and `ranges` name its key attributes; `attributes` are what it has besides, with the
    projection INCLUDE. `is_building` until every item that was there before it has its entry.
    """

    name: str
    number: int
    is_global: bool
    hashes: tuple[str, ...]
    ranges: tuple[str, ...]
    projection: str
    attributes: tuple[str, ...] = ()
    is_building: bool = False
    throughput: Throughput = Throughput()
    on_demand: OnDemand | None = None
    warm: Throughput | None = None


class Expiry(msgspec.Struct, frozen=True):
    """Time to live: the attribute that says when, and the number of the index that orders it."""

    attribute: str
    number: int
    is_building: bool = False


class Recovery(msgspec.Struct, frozen=True):
    """Point-in-time recovery: since when, and for how many days back."""

    since: float
    days: int


class Restored(msgspec.Struct, frozen=True):
    """What a table was made of: a table as it was at a time, and perhaps its backup."""

    table: str
    at: float
    backup: str = ""


class Insights(msgspec.Struct, frozen=True):
    """Whether the keys of a table or index are counted. `mode` is AWS's word, "" when they are not.

    `began` is part of the names of the rules that count; times are in epoch seconds.
    """

    mode: str
    began: float
    changed: float


class Table(msgspec.Struct, frozen=True):
    """A table. Times are in epoch seconds; `data` is where its items lie.

    `filling` is the job that puts items into a new table, until it is done. `history` is where is
    kept what its items were, while there is `recovery` or a number of `copies` are being made.
    `insights` is by the names of indexes, "" for the table itself.
    """

    account: str
    region: str
    name: str
    id: str
    data: bytes
    created: float
    kinds: dict[str, str]
    hash: str
    range: str = ""
    indexes: tuple[Index, ...] = ()
    next_number: int = 1
    billing: str = "PROVISIONED"
    billing_changed: float = 0.0
    throughput: Throughput = Throughput()
    on_demand: OnDemand | None = None
    warm: Throughput | None = None
    table_class: str = ""
    is_protected: bool = False
    is_sealed_by_key: bool = False
    stream: str = ""
    stream_view: str = ""
    stream_data: bytes = b""
    expiry: Expiry | None = None
    tags: dict[str, str] = {}
    policy: str = ""
    policy_revision: str = ""
    filling: str = ""
    history: bytes = b""
    recovery: Recovery | None = None
    copies: int = 0
    restored: Restored | None = None
    insights: dict[str, Insights] = {}

    @property
    def scope(self) -> Scope:
        """Where it is."""
        return Scope(self.account, self.region)

    @property
    def arn(self) -> str:
        """Its ARN."""
        return table_arn(self.scope, self.name)

    @property
    def stream_arn(self) -> str:
        """The ARN of its latest stream, or ""."""
        return f"{self.arn}/stream/{self.stream}" if self.stream else ""


class Stream(msgspec.Struct, frozen=True):
    """A stream of changes. `label` is the time it was enabled; a disabled one is still read.

    `trimmed` is the place of the last record that was dropped for its age.
    """

    account: str
    region: str
    table: str
    label: str
    data: bytes
    created: float
    view: str
    hash: str
    range: str = ""
    closed: float = 0.0
    trimmed: bytes = b""

    @property
    def arn(self) -> str:
        """Its ARN."""
        scope = Scope(self.account, self.region)
        return f"{table_arn(scope, self.table)}/stream/{self.label}"

    @property
    def shard(self) -> str:
        """Its one shard's id."""
        return f"shardId-{round(self.created * 1000):020d}-{self.data.hex()[:8]}"


class Build(msgspec.Struct, frozen=True):
    """The filling of a new index (or of the order of expiries), and how far it came."""

    account: str
    region: str
    table: str
    id: str
    number: int
    cursor: bytes = b""


class Token(msgspec.Struct, frozen=True):
    """A request token of a transaction that was carried out, with a digest of what was asked."""

    token: str
    digest: bytes
    expires: float


def table_arn(scope: Scope, name: str) -> str:
    """The ARN of a table."""
    return scope.arn("dynamodb", f"table/{name}")
