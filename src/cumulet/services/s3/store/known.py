"""What every request asks of its bucket, from memory: the record, and its policies made ready."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.kit.policy import Policy, parse_policy
from cumulet.kv.cache import CachedView
from cumulet.kv.contract import Store, Transaction
from cumulet.services.s3.model import Bucket, Grant, bucket_arn
from cumulet.services.s3.rules.acl import acl_statements, is_public_acl, without_public
from cumulet.services.s3.rules.cors import Cors, parse_cors
from cumulet.services.s3.rules.public_access import is_public
from cumulet.services.s3.store import BLOCKS, BUCKETS

_EVERYWHERE = Scope("", "")


@dataclass(frozen=True, slots=True)
class Known:
    """A bucket, its policy and ACL parsed. `open_acl` is the ACL; `own_acl` without the public."""

    bucket: Bucket
    policy: Policy | None
    is_public: bool
    open_acl: Policy | None
    own_acl: Policy | None
    has_public_acl: bool
    write_acl: Policy | None
    """What the ACL allows of new objects, with the tags and the ACL that come with them."""
    cors: tuple[Cors, ...]
    watches: bool
    """Whether requests are logged or measured."""


class Buckets:
    """The buckets of this store, kept right by its changes."""

    def __init__(self, platform: Platform) -> None:
        store = platform.need(Store)

        async def load(name: str) -> Known | None:
            async def read(tx: Transaction) -> Bucket | None:
                return await BUCKETS.load(tx, _EVERYWHERE, name)

            found = await store.transact(read)
            return None if found is None else know(found)

        async def load_block(account: str) -> dict[str, bool]:
            found = await store.transact(lambda tx: BLOCKS.load(tx, _EVERYWHERE, account))
            return {} if found is None else found.blocks

        self._view = CachedView(
            store, BUCKETS.prefix(_EVERYWHERE), load, affects=lambda key: _names(key)
        )
        self._blocks = CachedView(store, BLOCKS.prefix(_EVERYWHERE), load_block)

    async def get(self, name: str) -> Known | None:
        """The bucket of that name, or None."""
        return self._view.held(name) or await self._view.get(name)

    async def blocks(self, bucket: Bucket) -> dict[str, bool]:
        """Which ways to public access are shut, by the bucket or by its account."""
        own = bucket.settings.get("PublicAccessBlock") or {}
        account = self._blocks.held(bucket.account)
        if account is None:
            account = await self._blocks.get(bucket.account)
        if not account:
            return own
        return {name: own.get(name, False) or account.get(name, False) for name in {*own, *account}}


def _names(key: bytes) -> list[str] | None:
    owned = BUCKETS.owned(key)
    return None if owned is None else [str(owned[1][0])]


def know(bucket: Bucket) -> Known:
    """A bucket with everything that is worked out of its record."""
    policy = parse_policy("bucket policy", bucket.policy) if bucket.policy else None
    open_acl = own_acl = write_acl = None
    public_acl = False
    if bucket.has_acls and bucket.grants is not None:
        arn = bucket_arn(bucket.name)
        open_acl = acl_policy(bucket.grants, arn, "bucket")
        own_acl = acl_policy(without_public(bucket.grants), arn, "bucket")
        public_acl = is_public_acl(bucket.grants)
        write_acl = acl_policy(bucket.grants, f"{arn}/*", "new object")
    return Known(
        bucket,
        policy,
        bool(bucket.policy) and is_public(bucket.policy),
        open_acl,
        own_acl,
        public_acl,
        write_acl,
        parse_cors(bucket.settings.get("CORS") or []),
        "Logging" in bucket.settings or "Metrics" in bucket.settings,
    )


def acl_policy(grants: Sequence[Grant], arn: str, kind: str) -> Policy | None:
    """An ACL as the resource policy that says the same; None when it grants nothing."""
    statements = acl_statements(grants, arn, kind)
    if not statements:
        return None
    return parse_policy("ACL", {"Version": "2012-10-17", "Statement": statements})
