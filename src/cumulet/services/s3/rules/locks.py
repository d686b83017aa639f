"""Object lock: what a retention or a legal hold may be, and what it keeps from happening. Pure.

Follows https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from cumulet.core.errors import AccessDenied
from cumulet.services.s3.errors import InvalidArgument, InvalidRequest, malformed_xml
from cumulet.services.s3.limits import LOCK_DAYS_MAX, LOCK_YEARS_MAX
from cumulet.services.s3.model import Bucket, Lock

Request = dict[str, Any]

MODES = ("GOVERNANCE", "COMPLIANCE")
_DAY_SECONDS = 86_400
_YEAR_DAYS = 365


def has_lock(bucket: Bucket) -> bool:
    """Whether versions of the bucket can be locked."""
    return "ObjectLock" in bucket.settings


def check_has_lock(bucket: Bucket) -> None:
    """Raise InvalidRequest when they cannot."""
    if not has_lock(bucket):
        raise InvalidRequest("Bucket is missing Object Lock Configuration")


def check_configuration(configuration: Mapping[str, Any]) -> None:
    """Raise MalformedXML or InvalidArgument when S3 would not take it."""
    if configuration.get("ObjectLockEnabled") != "Enabled":
        raise malformed_xml()
    if "Rule" not in configuration:
        return
    default = (configuration["Rule"] or {}).get("DefaultRetention") or {}
    days, years = default.get("Days"), default.get("Years")
    if default.get("Mode") not in MODES or (days is None) == (years is None):
        raise malformed_xml()
    if (days is not None and days <= 0) or (years is not None and years <= 0):
        raise InvalidArgument(
            "Default retention period must be a positive integer value.",
            code="InvalidRetentionPeriod",
        )
    if (days or 0) > LOCK_DAYS_MAX or (years or 0) > LOCK_YEARS_MAX:
        raise InvalidArgument(
            "Default retention period is too large.", code="InvalidRetentionPeriod"
        )


def lock_of(request: Mapping[str, Any], bucket: Bucket, now: float) -> Lock | None:
    """How a new version is locked: as its headers say, else by the bucket's default."""
    mode = request.get("ObjectLockMode")
    until = seconds_of(request.get("ObjectLockRetainUntilDate"))
    hold = request.get("ObjectLockLegalHoldStatus")
    if mode or until is not None or hold:
        check_has_lock(bucket)
    if bool(mode) != (until is not None):
        raise InvalidArgument(
            "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
        )
    if hold not in (None, "", "ON", "OFF"):
        raise malformed_xml()
    if mode and until is not None:
        if mode not in MODES:
            raise InvalidArgument("Unknown wormMode directive.")
        check_future(until, now)
        return Lock(mode, until, hold == "ON")
    default = ((bucket.settings.get("ObjectLock") or {}).get("Rule") or {}).get("DefaultRetention")
    if default:
        days = default.get("Days") or default["Years"] * _YEAR_DAYS
        return Lock(default["Mode"], now + days * _DAY_SECONDS, hold == "ON")
    return Lock(is_held=True) if hold == "ON" else None


def check_future(until: float, now: float) -> None:
    """Raise InvalidArgument when a date is over."""
    if until <= now:
        raise InvalidArgument("The retain until date must be in the future!")


def seconds_of(value: Any) -> float | None:
    """A time of a request in epoch seconds."""
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, str):
        try:
            return seconds_of(datetime.fromisoformat(value.replace("Z", "+00:00")))
        except ValueError:
            raise InvalidArgument("The retain until date is not a date.") from None
    return float(value)


def retained(old: Lock | None, mode: str, until: float | None, now: float, bypass: bool) -> Lock:
    """A lock with another retention. Raises AccessDenied when the old one does not allow it.

    A retention may always become longer; a governance one is changed else by who may bypass it.
    """
    lock = old or Lock()
    if lock.mode and lock.until > now:
        weaker = until is None or until < lock.until or mode != lock.mode
        if weaker and not (lock.mode == "GOVERNANCE" and bypass):
            raise AccessDenied("Access Denied because object protected by object lock.")
    return msgspec.structs.replace(lock, mode=mode, until=until or 0.0)


def is_locked(lock: Lock | None, now: float, bypass: bool) -> bool:
    """Whether a version may not be deleted."""
    if lock is None:
        return False
    if lock.is_held:
        return True
    return bool(lock.mode) and lock.until > now and not (bypass and lock.mode == "GOVERNANCE")


def shown_lock(lock: Lock | None) -> Request:
    """The members that tell of a lock."""
    if lock is None:
        return {}
    shown: Request = {}
    if lock.mode:
        shown |= {"ObjectLockMode": lock.mode, "ObjectLockRetainUntilDate": lock.until}
    if lock.is_held:
        shown["ObjectLockLegalHoldStatus"] = "ON"
    return shown
