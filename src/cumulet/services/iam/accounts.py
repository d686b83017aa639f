"""How accounts and their root keys come to be; the application calls this, users cannot."""

from __future__ import annotations

import msgspec

from cumulet.core.clock import Clock
from cumulet.core.identity import is_account
from cumulet.kit.ports import Sealer
from cumulet.kv.contract import Store, Transaction
from cumulet.services.iam import store
from cumulet.services.iam.credentials import SECRET_PURPOSE
from cumulet.services.iam.model import (
    ACTIVE,
    ROOT,
    AccessKey,
    Account,
    new_key_id,
    new_secret,
)

_ACCOUNTS_MAX = 10_000


class RootKey(msgspec.Struct, frozen=True):
    """The key of an account itself. The secret can be read only now."""

    account: str
    key_id: str
    secret: str


def new_account_id(clock: Clock) -> str:
    """Twelve digits that do not begin with a zero."""
    return str(10**11 + int.from_bytes(clock.random_bytes(8), "big") % (9 * 10**11))


async def ensure_account(
    records: Store,
    sealer: Sealer,
    clock: Clock,
    account: str,
    *,
    key_id: str = "",
    secret: str = "",
) -> RootKey | None:
    """See that the account exists and has a root key.

    With `key_id` and `secret`, see that this very key is a root key of the account, active and
    with this secret. Without, make a key if the account has none. Returns the key when this call
    made or changed it, else None. Raises ValueError when the account is not twelve digits, or the
    key id belongs to somebody else.
    """
    if not is_account(account):
        raise ValueError(f"an account is twelve digits, not {account!r}")
    given = bool(key_id)
    made = RootKey(
        account, key_id or new_key_id(clock, "AKIA", account), secret or new_secret(clock)
    )
    sealed = sealer.seal(made.secret.encode(), SECRET_PURPOSE)
    key = AccessKey(made.key_id, account, ROOT, sealed, float(int(clock.now())), ACTIVE)

    async def work(tx: Transaction) -> RootKey | None:
        if await store.ACCOUNTS.load(tx, store.EVERYWHERE, account) is None:
            await store.ACCOUNTS.save(tx, store.EVERYWHERE, Account(account, key.created))
        if given:
            old = await store.ACCESS_KEYS.load(tx, store.EVERYWHERE, key_id)
            if old is not None and (old.account, old.owner) != (account, ROOT):
                raise ValueError(f"the key {key_id} belongs to somebody else")
            if old is not None and old.status == ACTIVE and _same(sealer, old, secret):
                return None
        elif await store.ACCESS_KEYS.lookup(tx, store.EVERYWHERE, "owner", account, ROOT, limit=1):
            return None
        await store.ACCESS_KEYS.save(tx, store.EVERYWHERE, key)
        return made

    return await records.transact(work)


async def load_accounts(records: Store) -> list[str]:
    """Every account of this cloud, in order."""

    async def work(tx: Transaction) -> list[str]:
        found = await store.ACCOUNTS.scan(tx, store.EVERYWHERE, limit=_ACCOUNTS_MAX)
        return [account.id for account in found]

    return await records.transact(work)


def _same(sealer: Sealer, key: AccessKey, secret: str) -> bool:
    return sealer.unseal(key.sealed, SECRET_PURPOSE).decode() == secret
