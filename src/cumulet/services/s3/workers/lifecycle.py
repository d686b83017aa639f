"""Lifecycle rules carried out: expirations, transitions, uploads given up. By the clock."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from cumulet.core.clock import new_hex, new_label
from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.kv.contract import Store, Transaction
from cumulet.kv.table import Key, Table
from cumulet.services.s3 import store
from cumulet.services.s3.limits import LIFECYCLE_KEYS_AT_ONCE, LIFECYCLE_LOOK_SECONDS
from cumulet.services.s3.model import Bucket, Stored, Upload
from cumulet.services.s3.rules.lifecycle import (
    aborts_at,
    applies,
    due_after,
    expires_at,
    noncurrent_rules,
    rules_of,
    storage_class_at,
)
from cumulet.services.s3.rules.locks import is_locked
from cumulet.services.s3.store.events import by_itself

_EVERYWHERE = Scope("", "")
Rules = list[dict[str, Any]]
R = TypeVar("R", bound=msgspec.Struct)


async def carry_out_lifecycles(platform: Platform) -> float:
    """Walk through every bucket that has rules, a page of keys at a time."""
    kv = platform.need(Store)
    after: tuple[str] | None = None
    while True:
        page = await _page(kv, store.BUCKETS, after)
        for bucket in page:
            rules = rules_of(bucket)
            if rules:
                await _walk(platform, kv, bucket, rules)
                await _abort_uploads(platform, kv, bucket, rules)
        if len(page) < LIFECYCLE_KEYS_AT_ONCE:
            return LIFECYCLE_LOOK_SECONDS
        after = (page[-1].name,)


async def _page(kv: Store, table: Table[R], after: Key | None, *prefix: str) -> list[R]:
    async def read(tx: Transaction) -> list[R]:
        return await table.scan(tx, _EVERYWHERE, *prefix, after=after, limit=LIFECYCLE_KEYS_AT_ONCE)

    return await kv.transact(read)


async def _walk(platform: Platform, kv: Store, bucket: Bucket, rules: Rules) -> None:
    after: tuple[str, str] | None = None
    while True:
        page = await _page(kv, store.OBJECTS, after, bucket.name)
        now = platform.clock.now()
        for stored in page:
            if bucket.versioning:
                await _apply_to_older(platform, kv, bucket, rules, stored.key, now)
            await _apply_to_current(platform, kv, bucket, rules, stored.key, now)
        if len(page) < LIFECYCLE_KEYS_AT_ONCE:
            return
        after = (bucket.name, page[-1].key)


async def _apply_to_current(
    platform: Platform, kv: Store, bucket: Bucket, rules: Rules, key: str, now: float
) -> None:
    """Expire the current version, or give it the class of its age; its marker goes when alone."""
    order, fresh = int(now * 1e6), new_label(platform.clock, 21)
    happened = by_itself(now, new_hex(platform.clock, 12))

    async def write(tx: Transaction) -> None:
        here = await store.BUCKETS.load(tx, _EVERYWHERE, bucket.name)
        stored = await store.OBJECTS.load(tx, _EVERYWHERE, bucket.name, key)
        if here is None or stored is None:
            return
        if stored.is_marker:
            if await _is_expired_marker(tx, rules, stored, now):
                gone = await store.drop_version(
                    tx, _EVERYWHERE, bucket.name, key, stored.version_id, int(now * 1000)
                )
                if gone is not None:
                    happened.note(tx, _EVERYWHERE, here, gone, "LifecycleExpiration:Delete")
            return
        due = expires_at(rules, stored)
        if due is None or due[0] > now:
            kind = storage_class_at(rules, stored, now, True)
            if kind != stored.storage_class:
                changed = msgspec.structs.replace(stored, storage_class=kind)
                await store.OBJECTS.save(tx, _EVERYWHERE, changed)
                happened.note(tx, _EVERYWHERE, here, changed, "LifecycleTransition")
        elif here.versioning:
            marker = Stored(bucket.name, key, "", order, int(now * 1000), is_marker=True)
            made = await store.put_object(
                tx, _EVERYWHERE, marker, None, stored, here.versioning, fresh
            )
            name = "LifecycleExpiration:DeleteMarkerCreated"
            happened.note(tx, _EVERYWHERE, here, made, name)
        elif not is_locked(stored.lock, now, False):
            await store.drop_object(tx, _EVERYWHERE, bucket.name, key, int(now * 1000))
            happened.note(tx, _EVERYWHERE, here, stored, "LifecycleExpiration:Delete")

    await kv.transact(write)


async def _is_expired_marker(tx: Transaction, rules: Rules, stored: Stored, now: float) -> bool:
    """Whether a delete marker has no version behind it any more, and a rule lets it go."""
    if await store.VERSIONS.scan(tx, _EVERYWHERE, stored.bucket, stored.key, limit=1):
        return False
    for rule in rules:
        expiration = rule.get("Expiration") or {}
        if not applies(rule, stored):
            continue
        if expiration.get("ExpiredObjectDeleteMarker"):
            return True
        days = expiration.get("Days")
        if days and due_after(stored.modified_ms, days) <= now:
            return True
    return False


async def _apply_to_older(
    platform: Platform, kv: Store, bucket: Bucket, rules: Rules, key: str, now: float
) -> None:
    """Remove versions that are noncurrent for long enough, or give them the class of their age."""
    happened = by_itself(now, new_hex(platform.clock, 12))

    async def write(tx: Transaction) -> None:
        older = await store.VERSIONS.scan(
            tx, _EVERYWHERE, bucket.name, key, limit=LIFECYCLE_KEYS_AT_ONCE * 10
        )
        for newer, stored in enumerate(older):
            due = any(at <= now and newer >= kept for at, kept in noncurrent_rules(rules, stored))
            if due and not is_locked(stored.lock, now, False):
                await store.drop_version(
                    tx, _EVERYWHERE, bucket.name, key, stored.version_id, int(now * 1000)
                )
                happened.note(tx, _EVERYWHERE, bucket, stored, "LifecycleExpiration:Delete")
                continue
            kind = storage_class_at(rules, stored, now, False)
            if kind != stored.storage_class and not stored.is_marker:
                changed = msgspec.structs.replace(stored, storage_class=kind)
                await store.VERSIONS.save(tx, _EVERYWHERE, changed)

    await kv.transact(write)


async def _abort_uploads(platform: Platform, kv: Store, bucket: Bucket, rules: Rules) -> None:
    now = platform.clock.now()
    after: tuple[Any, ...] | None = None
    while True:
        page = await _page(kv, store.UPLOADS, after, bucket.name)
        for upload in page:
            due = aborts_at(rules, upload.key, upload.started_ms)
            if due is not None and due <= now:
                await _give_up(kv, upload, int(now * 1000))
        if len(page) < LIFECYCLE_KEYS_AT_ONCE:
            return
        after = store.UPLOADS.key_of(page[-1])


async def _give_up(kv: Store, upload: Upload, now_ms: int) -> None:
    async def drop(tx: Transaction) -> None:
        if await store.UPLOADS.load(tx, _EVERYWHERE, *store.UPLOADS.key_of(upload)) is not None:
            await store.drop_upload(tx, _EVERYWHERE, upload, now_ms)

    await kv.transact(drop)
