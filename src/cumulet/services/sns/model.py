"""Topics, subscriptions and messages as records."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from cumulet.core.identity import Arn, Scope

Tags = dict[str, str]
Attribute = tuple[str, Any]
"""A message attribute: its type, and its text or bytes."""


class Topic(msgspec.Struct, frozen=True):
    """A topic. `attributes` are those that were set, in AWS's spelling; times are epoch seconds.

    `uid` is new each time a name is used again.
    """

    name: str
    uid: str
    created_at: float
    attributes: dict[str, str] = msgspec.field(default_factory=dict)
    tags: Tags = msgspec.field(default_factory=dict)
    deleted: int = 0

    @property
    def is_fifo(self) -> bool:
        """Whether groups keep their order and duplicates are left out."""
        return self.name.endswith(".fifo")


class Subscription(msgspec.Struct, frozen=True):
    """Who wants a topic's messages. `token` is the digest of what confirms a pending one."""

    topic: str
    id: str
    protocol: str
    endpoint: str
    owner: str
    created_at: float
    attributes: dict[str, str] = msgspec.field(default_factory=dict)
    is_pending: bool = False
    token: str = ""
    was_authenticated: bool = False
    needs_authentication: bool = False

    @property
    def is_raw(self) -> bool:
        """Whether messages come as they were published, without an envelope."""
        return self.attributes.get("RawMessageDelivery") == "true"


class Message(msgspec.Struct, frozen=True):
    """What was published, as it lies in the queue of deliveries. `texts` are those by protocol.

    `kind` is the type that receivers are told; `token` belongs to confirmations.
    """

    id: str
    topic_arn: str
    published_at: float
    text: str
    kind: str = "Notification"
    texts: dict[str, str] = msgspec.field(default_factory=dict)
    subject: str = ""
    attributes: dict[str, Attribute] = msgspec.field(default_factory=dict)
    group: str = ""
    deduplication: str = ""
    sequence: str = ""
    signature_version: str = "1"
    token: str = ""
    trace_header: str = ""

    def text_for(self, protocol: str) -> str:
        """The text that subscriptions of a protocol get."""
        return self.texts.get(protocol, self.text)


class Deduplication(msgspec.Struct, frozen=True):
    """A deduplication id of the last five minutes, and the message that came with it."""

    topic: str
    place: str
    id: str
    expires_at: float
    message_id: str
    sequence: str


class SigningKey(msgspec.Struct, frozen=True):
    """The key that signs messages; the certificate is PEM, the key is sealed."""

    id: str
    certificate: str
    sealed_key: bytes
    made_at: float


class TopicName(NamedTuple):
    """Where a topic is, and its name."""

    scope: Scope
    name: str

    @property
    def arn(self) -> str:
        """The topic's ARN."""
        return topic_arn(self.scope, self.name)


def topic_arn(scope: Scope, name: str) -> str:
    """The ARN of a topic."""
    return scope.arn("sns", name)


def subscription_arn(scope: Scope, subscription: Subscription) -> str:
    """The ARN of a subscription."""
    return f"{topic_arn(scope, subscription.topic)}:{subscription.id}"


def place_of(arn: Arn) -> Scope:
    """The account and region that an ARN names."""
    return Scope(arn.account, arn.region)
