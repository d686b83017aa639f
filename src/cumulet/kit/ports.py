"""The few things that services need from each other and that AWS does privately. At most ten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from cumulet.core.http import Request
from cumulet.core.identity import Principal, Scope
from cumulet.core.trace import Trace
from cumulet.core.usage import Dimension
from cumulet.kit.policy import IdentityPolicies
from cumulet.kv.contract import Transaction


@dataclass(frozen=True, slots=True)
class Credential:
    """A key that may sign: its secret and who it stands for.

    `expires_at` is in epoch seconds, None for a long-term key. `token_required` says that the
    request must carry the session token that was checked.
    """

    secret: str
    principal: Principal
    expires_at: float | None = None


class Credentials(Protocol):
    """Keys and session tokens (by iam)."""

    async def find(self, access_key_id: str, session_token: str) -> Credential | None:
        """The credential, or None when the key, or its token, is not one of ours."""
        ...


class Policies(Protocol):
    """Policies of principals (by iam)."""

    async def of(self, principal: Principal) -> IdentityPolicies:
        """What binds this principal; empty when the identity is gone."""
        ...


class LogSink(Protocol):
    """Log lines of user code and of gateways, as CloudWatch Logs keeps them (by logs).

    Lines are bounded and batched; those of one stream keep their order. `write` never blocks.
    """

    def write(self, scope: Scope, group: str, stream: str, timestamp_ms: int, message: str) -> None:
        """Add one event; group and stream are made when they do not exist."""
        ...

    def write_all(
        self, scope: Scope, group: str, stream: str, lines: Sequence[tuple[int, str]]
    ) -> None:
        """Add events of one stream, each its time in milliseconds and its message, in order."""
        ...

    async def flush(self) -> None:
        """Wait until everything written so far is in the store."""
        ...


class Metrics(Protocol):
    """Measurements that services publish by themselves, as CloudWatch keeps them (by cloudwatch).

    Values are gathered in memory by minute and written in batches: an answer never waits for them.
    """

    def record(
        self,
        scope: Scope,
        namespace: str,
        name: str,
        dimensions: tuple[tuple[str, str], ...],
        value: float,
        unit: str = "Count",
    ) -> None:
        """Add one value, measured now. `namespace` as AWS's (`AWS/ApiGateway`). Never blocks."""
        ...

    def record_all(
        self,
        scope: Scope,
        namespace: str,
        name: str,
        dimensions: tuple[tuple[str, str], ...],
        values: Sequence[float],
        unit: str = "Count",
    ) -> None:
        """Add values that were measured in the last second or so: for who measures very often."""
        ...


@dataclass(frozen=True, slots=True)
class TraceStart:
    """Where a trace may begin, as sampling rules look at it.

    What is not known is empty; `headers` are asked for only by rules with attributes, by names in
    lower case. https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html
    """

    service_name: str
    service_type: str
    resource_arn: str
    host: str = ""
    method: str = ""
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class Segments(Protocol):
    """Segments of traces that services tell by themselves, as X-Ray keeps them (by xray).

    They are gathered in memory and written in batches: an answer never waits for them, and when
    too many wait the newest are left out, which is counted and logged.
    """

    async def sample(self, scope: Scope, start: TraceStart) -> str:
        """The name of the rule by which a trace that begins here is recorded; else empty.

        Asked only where no header says it yet. It waits only when the rules of an account and
        region were not read yet.
        """
        ...

    def put(self, scope: Scope, document: Mapping[str, Any]) -> None:
        """Add a segment, or a subsegment of one, as X-Ray's segment documents are. Never blocks.

        The document must not change any more.
        """
        ...

    def follow(self, scope: Scope, trace_id: str, segment_id: str) -> None:
        """From now on calls to the cloud that name this segment as their parent are recorded."""
        ...

    def leave(self, scope: Scope, trace_id: str, segment_id: str) -> None:
        """The segment has ended: no more of its calls are recorded."""
        ...

    def followed(self, account: str, trace_id: str, segment_id: str) -> Scope | None:
        """Where a call's own subsegment belongs; None when nobody follows the segment."""
        ...

    async def flush(self) -> None:
        """Wait until everything added so far is in the store."""
        ...


class Usage(Protocol):
    """What AWS would have charged for, as its bills count it (by ce).

    Amounts are gathered in memory by day and written about once a second: nothing waits for them.
    """

    def used(
        self,
        scope: Scope,
        resource: str,
        dimension: Dimension,
        amount: float,
        trace: Trace | None = None,
    ) -> None:
        """Add an amount that a resource (its ARN) used now; `trace` is told of it too."""
        ...

    def seen(self, scope: Scope, resource: str, dimension: Dimension, member: str) -> None:
        """Add one unit unless this member was seen this month, as of users who are active."""
        ...


@dataclass(frozen=True, slots=True)
class ManagedRule:
    """A rule of Contributor Insights that a service makes for one of its resources.

    `definition` is JSON as CloudWatch has it; `resource` the ARN of what the rule is for, and
    `template` tells it from others of the same resource.
    """

    name: str
    definition: str
    template: str
    resource: str


class Contributors(Protocol):
    """Who contributes most to something, as Contributor Insights has it (by cloudwatch).

    Rules are made and removed in the transaction of what they belong to. Contributions are gathered
    in memory by minute and written in batches.
    """

    async def put_rules(self, tx: Transaction, scope: Scope, rules: Sequence[ManagedRule]) -> None:
        """Make rules, or change them whole."""
        ...

    async def drop_rules(self, tx: Transaction, scope: Scope, names: Sequence[str]) -> None:
        """Remove rules, those that are there, with all that was counted by them."""
        ...

    def contribute(
        self, scope: Scope, rule: str, keys: tuple[str, ...], value: float = 1.0
    ) -> None:
        """Add one contribution, made now; nothing when there is no such rule. Never blocks."""
        ...


class Sealer(Protocol):
    """Encryption at rest with the installation's own key (by app)."""

    def seal(self, plain: bytes, purpose: str) -> bytes:
        """Encrypt and authenticate; `purpose` must be the same when opening."""
        ...

    def unseal(self, sealed: bytes, purpose: str) -> bytes:
        """The plain bytes. Raises ValueError when altered or sealed for another purpose."""
        ...


class Authenticator(Protocol):
    """Signature checks for fronts that are not the AWS API, such as function URLs (by edge)."""

    async def authenticate(self, request: Request, service: str, body: bytes) -> Principal:
        """Who signed the request for `service` (`lambda`, `execute-api`); ANONYMOUS if nobody did.

        Raises the errors of `core/errors.py` when there is a signature and it does not hold.
        """
        ...


class WebIdentities(Protocol):
    """Tokens of OpenID issuers (by cognito, or configured issuers)."""

    async def verify(self, token: str) -> dict[str, object] | None:
        """The verified claims of a token, or None when its issuer is not known or it is false."""
        ...

    async def knows(self, issuer: str) -> bool:
        """Whether this issuer is of this cloud, so that nobody else can tell about its tokens."""
        ...
