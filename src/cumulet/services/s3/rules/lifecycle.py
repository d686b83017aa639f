"""Lifecycle rules: what they may be, and what they do with an object by the clock. Pure.

Follows https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from email.utils import formatdate
from typing import Any
from urllib.parse import quote

from cumulet.services.s3.errors import (
    InvalidArgument,
    InvalidRequest,
    NotImplementedHere,
    malformed_xml,
)
from cumulet.services.s3.limits import LIFECYCLE_ID_CHARACTERS_MAX, LIFECYCLE_RULES_MAX
from cumulet.services.s3.model import Bucket, Stored
from cumulet.services.s3.rules.locks import seconds_of

Request = dict[str, Any]

DAY_SECONDS = 86_400
_TRANSITIONS = ("STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR")
_ARCHIVES = ("GLACIER", "DEEP_ARCHIVE")
_WARM = ("STANDARD_IA", "ONEZONE_IA")
_WARM_DAYS_MIN = 30
_SIZE_MIN_BYTES = 128 * 1024
"""What is smaller is not transitioned unless the rule says so, as S3 has it since 2024."""


def check_rules(rules: Sequence[Request]) -> list[Request]:
    """The rules as they are kept, each with an id and its times in seconds.

    Raises InvalidArgument, InvalidRequest, MalformedXML.
    """
    if not 0 < len(rules) <= LIFECYCLE_RULES_MAX:
        raise malformed_xml()
    ids = [rule["ID"] for rule in rules if rule.get("ID")]
    if len(set(ids)) != len(ids):
        raise InvalidArgument("Rule ID must be unique. Found same ID for more than one rule")
    if any(len(one) > LIFECYCLE_ID_CHARACTERS_MAX for one in ids):
        raise InvalidArgument("ID length should not exceed allowed limit of 255")
    return [_checked(dict(rule), number) for number, rule in enumerate(rules)]


def _checked(rule: Request, number: int) -> Request:
    if rule.get("Status") not in ("Enabled", "Disabled"):
        raise malformed_xml()
    if "Filter" in rule and rule.get("Prefix") is not None:
        raise malformed_xml()
    if "Filter" not in rule and rule.get("Prefix") is None:
        raise malformed_xml()
    _check_filter(rule)
    if not any(
        rule.get(name)
        for name in (
            *("Expiration", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"),
            *("Transitions", "NoncurrentVersionTransitions"),
        )
    ):
        raise InvalidRequest("At least one action needs to be specified in a rule")
    expiration = dict(rule.get("Expiration") or {})
    if expiration:
        rule["Expiration"] = _checked_expiration(expiration, rule)
    noncurrent = rule.get("NoncurrentVersionExpiration") or {}
    if noncurrent and not _is_positive(noncurrent.get("NoncurrentDays")):
        raise InvalidArgument(
            "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer"
        )
    abort = rule.get("AbortIncompleteMultipartUpload") or {}
    if abort and not _is_positive(abort.get("DaysAfterInitiation")):
        raise InvalidArgument(
            "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive "
            "integer"
        )
    for name in ("Transitions", "NoncurrentVersionTransitions"):
        if rule.get(name):
            rule[name] = [_checked_transition(dict(one)) for one in rule[name]]
    rule.setdefault("ID", f"rule-{number + 1}")
    rule["ID"] = rule["ID"] or f"rule-{number + 1}"
    return rule


def _check_filter(rule: Request) -> None:
    given = rule.get("Filter") or {}
    kinds = [name for name in given if given[name] is not None]
    if len(kinds) > 1:
        raise malformed_xml()
    both = given.get("And")
    if both is not None and len(both) + max(0, len(both.get("Tags") or ()) - 1) < 2:
        raise malformed_xml()
    small, large = (
        (both or given).get(name) for name in ("ObjectSizeLessThan", "ObjectSizeGreaterThan")
    )
    if small is not None and large is not None and large >= small:
        raise InvalidRequest(
            "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'"
        )


def _checked_expiration(expiration: Request, rule: Request) -> Request:
    given = [
        name
        for name in ("Days", "Date", "ExpiredObjectDeleteMarker")
        if expiration.get(name) is not None
    ]
    if len(given) != 1:
        raise malformed_xml()
    if "Days" in given and not _is_positive(expiration["Days"]):
        raise InvalidArgument("'Days' for Expiration action must be a positive integer")
    if "Date" in given:
        expiration["Date"] = _midnight(expiration["Date"])
    if expiration.get("ExpiredObjectDeleteMarker") and any(_tags_of(rule)):
        raise InvalidRequest("Delete marker cannot be specified with Tags.")
    return expiration


def _midnight(value: Any) -> float:
    seconds = seconds_of(value)
    if seconds is None or seconds % DAY_SECONDS:
        raise InvalidArgument("'Date' must be at midnight GMT")
    return seconds


def _checked_transition(one: Request) -> Request:
    target = one.get("StorageClass")
    if target in _ARCHIVES:
        raise NotImplementedHere(f"The storage class {target}")
    if target not in _TRANSITIONS:
        raise malformed_xml()
    days = one.get("Days", one.get("NoncurrentDays"))
    if days is not None and days < 0:
        raise InvalidArgument("'Days' in Transition action must be nonnegative")
    if days is not None and target in _WARM and days < _WARM_DAYS_MIN:
        raise InvalidArgument(
            f"'Days' in Transition action must be greater than or equal to {_WARM_DAYS_MIN} for "
            f"storageClass '{target}'"
        )
    if one.get("Date") is not None:
        one["Date"] = _midnight(one["Date"])
    return one


def _is_positive(value: Any) -> bool:
    return isinstance(value, int) and value > 0


def _tags_of(rule: Mapping[str, Any]) -> list[Request]:
    given = rule.get("Filter") or {}
    tag = given.get("Tag")
    return ([tag] if tag else []) + list((given.get("And") or {}).get("Tags") or [])


def rules_of(bucket: Bucket) -> list[Request]:
    """The rules of a bucket that are enabled."""
    found = (bucket.settings.get("Lifecycle") or {}).get("Rules") or []
    return [rule for rule in found if rule["Status"] == "Enabled"]


def prefix_of(rule: Mapping[str, Any]) -> str:
    """The prefix of the keys that a rule is about."""
    given = rule.get("Filter") or {}
    both = given.get("And") or {}
    return str(rule.get("Prefix") or given.get("Prefix") or both.get("Prefix") or "")


def applies(rule: Mapping[str, Any], stored: Stored) -> bool:
    """Whether a rule is about this version."""
    if not stored.key.startswith(prefix_of(rule)):
        return False
    given = rule.get("Filter") or {}
    limits = given.get("And") or given
    less, more = limits.get("ObjectSizeLessThan"), limits.get("ObjectSizeGreaterThan")
    if (less is not None and stored.size >= less) or (more is not None and stored.size <= more):
        return False
    return all(stored.tags.get(tag["Key"]) == tag["Value"] for tag in _tags_of(rule))


def has_size_limit(rule: Mapping[str, Any]) -> bool:
    """Whether a rule says itself what sizes it is about."""
    given = rule.get("Filter") or {}
    limits = given.get("And") or given
    return "ObjectSizeLessThan" in limits or "ObjectSizeGreaterThan" in limits


def due_after(start_ms: int, days: int) -> float:
    """The midnight that follows so many days, in epoch seconds; S3 rounds up."""
    due = start_ms / 1000 + days * DAY_SECONDS
    return float(-(-due // DAY_SECONDS) * DAY_SECONDS)


def expires_at(rules: Sequence[Request], stored: Stored) -> tuple[float, str] | None:
    """When a current version expires, and by which rule: the first to come."""
    found = []
    for rule in rules:
        expiration = rule.get("Expiration") or {}
        if stored.is_marker or not applies(rule, stored):
            continue
        if expiration.get("Days"):
            found.append((due_after(stored.modified_ms, expiration["Days"]), str(rule["ID"])))
        elif expiration.get("Date"):
            found.append((float(expiration["Date"]), str(rule["ID"])))
    return min(found) if found else None


def noncurrent_rules(rules: Sequence[Request], stored: Stored) -> Iterator[tuple[float, int]]:
    """When an older version is removed, and how many newer ones must stay, by each rule."""
    for rule in rules:
        action = rule.get("NoncurrentVersionExpiration") or {}
        if action and applies(rule, stored):
            due = due_after(stored.noncurrent_ms or stored.modified_ms, action["NoncurrentDays"])
            yield due, int(action.get("NewerNoncurrentVersions") or 0)


def storage_class_at(rules: Sequence[Request], stored: Stored, now: float, current: bool) -> str:
    """The storage class that a version has by now."""
    best = (-1.0, stored.storage_class)
    name = "Transitions" if current else "NoncurrentVersionTransitions"
    start = stored.modified_ms if current else stored.noncurrent_ms or stored.modified_ms
    for rule in rules:
        if not rule.get(name) or not applies(rule, stored):
            continue
        if stored.size < _SIZE_MIN_BYTES and not has_size_limit(rule):
            continue
        for one in rule[name]:
            days = one.get("Days", one.get("NoncurrentDays"))
            due = one["Date"] if one.get("Date") is not None else due_after(start, days or 0)
            if due <= now:
                best = max(best, (due, one["StorageClass"]))
    return best[1]


def aborts_at(rules: Sequence[Request], key: str, started_ms: int) -> float | None:
    """When an unfinished upload is given up."""
    due = [
        due_after(started_ms, rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"])
        for rule in rules
        if rule.get("AbortIncompleteMultipartUpload") and key.startswith(prefix_of(rule))
    ]
    return min(due) if due else None


def expiration_of(bucket: Bucket, stored: Stored) -> Request:
    """The member by which an answer tells when an object expires."""
    if "Lifecycle" not in bucket.settings or stored.noncurrent_ms:
        return {}
    found = expires_at(rules_of(bucket), stored)
    if found is None:
        return {}
    date = formatdate(found[0], usegmt=True)
    return {"Expiration": f'expiry-date="{date}", rule-id="{quote(found[1])}"'}
