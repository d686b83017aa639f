"""The first account and its root key, and the keys that the owner chose."""

from __future__ import annotations

import json
from dataclasses import dataclass

from cumulet.app.config import DEFAULT_ACCOUNT, Config
from cumulet.app.platform import Platform
from cumulet.app.seal import write_private
from cumulet.kit.ports import Sealer
from cumulet.kv.contract import Store
from cumulet.services.iam import RootKey, ensure_account


class RootKeyLost(Exception):
    """The store knows a root key whose secret nobody has any more."""


@dataclass(frozen=True, slots=True)
class FirstKey:
    """The root key of the default account; `is_new` on the very first start."""

    access_key_id: str
    secret: str
    is_new: bool


async def ensure_keys(platform: Platform) -> FirstKey:
    """See that the default account has a root key and that every `--key` is known.

    The root key is kept in `root-key.json` of the data folder, readable by its owner only, so that
    commands on the same machine can sign.
    """
    config = platform.config
    path = config.data / "root-key.json"
    if path.exists():
        found = json.loads(path.read_text())
        first = FirstKey(found["access_key_id"], found["secret_access_key"], False)
        await _ensure(platform, DEFAULT_ACCOUNT, first.access_key_id, first.secret)
    else:
        made = await _ensure(platform, DEFAULT_ACCOUNT)
        if made is None:
            raise RootKeyLost(f"{path} is gone, and with it the secret of the root key")
        first = FirstKey(made.key_id, made.secret, True)
        _keep(config, first)
    for key in config.keys:
        await _ensure(platform, key.account, key.access_key_id, key.secret)
    return first


async def _ensure(
    platform: Platform, account: str, key_id: str = "", secret: str = ""
) -> RootKey | None:
    dispatcher = platform.dispatcher
    return await ensure_account(
        dispatcher.need(Store),
        dispatcher.need(Sealer),
        platform.clock,
        account,
        key_id=key_id,
        secret=secret,
    )


def _keep(config: Config, first: FirstKey) -> None:
    content = {"access_key_id": first.access_key_id, "secret_access_key": first.secret}
    write_private(config.data / "root-key.json", json.dumps(content).encode())
