"""Event notifications: what a configuration may be, which targets want what, the record. Pure.

Follows https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote_plus

from cumulet.core.identity import parse_arn
from cumulet.services.s3.errors import InvalidArgument, NotImplementedHere, malformed_xml
from cumulet.services.s3.limits import NOTIFICATIONS_MAX
from cumulet.services.s3.model import Bucket, Stored, bucket_arn
from cumulet.services.s3.rules.acl import canonical_id

Request = dict[str, Any]

KINDS = {
    "LambdaFunctionConfigurations": ("LambdaFunctionArn", "lambda"),
    "QueueConfigurations": ("QueueArn", "sqs"),
}
"""The lists of a configuration, the member that names the target, and its service."""

EVENTS = (
    "s3:ObjectCreated:*",
    "s3:ObjectCreated:Put",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:CompleteMultipartUpload",
    "s3:ObjectRemoved:*",
    "s3:ObjectRemoved:Delete",
    "s3:ObjectRemoved:DeleteMarkerCreated",
    "s3:ObjectTagging:*",
    "s3:ObjectTagging:Put",
    "s3:ObjectTagging:Delete",
    "s3:ObjectAcl:Put",
    "s3:LifecycleExpiration:*",
    "s3:LifecycleExpiration:Delete",
    "s3:LifecycleExpiration:DeleteMarkerCreated",
    "s3:LifecycleTransition",
)
"""What can happen here. S3 has more: archives, replication, intelligent tiering."""
_ELSEWHERE = ("s3:ObjectRestore:", "s3:Replication:", "s3:IntelligentTiering", "s3:TestEvent")
_ELSEWHERE_TOO = ("s3:ReducedRedundancyLostObject", "s3:ObjectAnnotation:")


class Wanted(NamedTuple):
    """A target that wants an event, and the configuration that says so."""

    target: str
    id: str


class _Filter(NamedTuple):
    prefix: str
    suffix: str


def entries_of(configuration: Mapping[str, Any]) -> Iterator[tuple[str, str, Request]]:
    """Each entry with its target and the target's service."""
    for name, (member, service) in KINDS.items():
        for entry in configuration.get(name) or ():
            yield entry.get(member) or "", service, entry


def wanted_by(configuration: Mapping[str, Any], name: str, key: str) -> list[Wanted]:
    """The targets that want to know of the event `name` (without `s3:`) of a key."""
    found = []
    for target, _, entry in entries_of(configuration):
        if any(_covers(event, f"s3:{name}") for event in entry["Events"]):
            only = _filter_of(entry)
            if key.startswith(only.prefix) and key.endswith(only.suffix):
                found.append(Wanted(target, entry["Id"]))
    return found


def _covers(pattern: str, event: str) -> bool:
    return pattern == event or (pattern.endswith("*") and event.startswith(pattern[:-1]))


def _filter_of(entry: Mapping[str, Any]) -> _Filter:
    rules = ((entry.get("Filter") or {}).get("Key") or {}).get("FilterRules") or []
    found = {str(rule.get("Name", "")).lower(): rule.get("Value") or "" for rule in rules}
    return _Filter(found.get("prefix", ""), found.get("suffix", ""))


def check_notifications(configuration: Mapping[str, Any]) -> None:
    """Raise InvalidArgument or MalformedXML when S3 would not take a configuration."""
    if configuration.get("EventBridgeConfiguration") is not None:
        raise NotImplementedHere("Notifying EventBridge")
    if configuration.get("TopicConfigurations"):
        raise NotImplementedHere("Notifying SNS topics")
    seen: list[tuple[str, _Filter]] = []
    entries = list(entries_of(configuration))
    if len(entries) > NOTIFICATIONS_MAX:
        raise malformed_xml()
    for target, service, entry in entries:
        arn = parse_arn(target)
        if arn is None or arn.service != service:
            raise InvalidArgument(
                "The ARN could not be parsed", ArgumentName="Arn", ArgumentValue=target
            )
        events = entry.get("Events") or []
        if not events:
            raise malformed_xml()
        for event in events:
            if event.startswith(_ELSEWHERE + _ELSEWHERE_TOO):
                raise NotImplementedHere(f"The event {event}")
            if event not in EVENTS:
                raise InvalidArgument(
                    f"The event '{event}' is not supported for notifications",
                    ArgumentName="Event",
                    ArgumentValue=event,
                )
        _check_filter(entry)
        for event in events:
            mine = _filter_of(entry)
            if any(_overlap(event, mine, *one) for one in seen):
                raise InvalidArgument(
                    "Configurations overlap. Configurations on the same bucket cannot share a "
                    "common event type."
                )
        seen += [(event, _filter_of(entry)) for event in events]


def _check_filter(entry: Mapping[str, Any]) -> None:
    rules = ((entry.get("Filter") or {}).get("Key") or {}).get("FilterRules") or []
    names = [str(rule.get("Name", "")).lower() for rule in rules]
    if any(name not in ("prefix", "suffix") for name in names):
        raise InvalidArgument("filter rule name must be either prefix or suffix")
    if len(set(names)) != len(names):
        raise InvalidArgument(
            "Cannot specify more than one prefix or suffix rule in a filter.",
            ArgumentName="FilterRule",
        )


def _overlap(event: str, mine: _Filter, other_event: str, other: _Filter) -> bool:
    return (
        (_covers(event, other_event) or _covers(other_event, event))
        and (mine.prefix.startswith(other.prefix) or other.prefix.startswith(mine.prefix))
        and (mine.suffix.endswith(other.suffix) or other.suffix.endswith(mine.suffix))
    )


def record_of(bucket: Bucket, stored: Stored, name: str, time: str) -> Request:
    """The record of an event, without who did it.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    told: Request = {"key": quote_plus(stored.key, safe="/"), "sequencer": f"{stored.order:016X}"}
    is_written = not stored.is_marker and not name.startswith(
        ("ObjectRemoved:", "LifecycleExpiration:")
    )
    if is_written:
        told |= {"size": stored.size, "eTag": stored.etag}
    elif stored.is_marker:
        told["eTag"] = "d41d8cd98f00b204e9800998ecf8427e"
    if bucket.versioning and stored.version_id:
        told["versionId"] = stored.version_id
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": bucket.region,
        "eventTime": time,
        "eventName": name,
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {
                "name": bucket.name,
                "ownerIdentity": {"principalId": canonical_id(bucket.account)},
                "arn": bucket_arn(bucket.name),
            },
            "object": told,
        },
    }
