"""Helpers for tests of the engine on disk: a disk that can be held up and made to fail."""

import asyncio
import threading

from cumulet.kv.embedded import open_embedded


class Disk:
    """Stands at the steps of a store: counts syncs, holds them up, makes them fail."""

    def __init__(self):
        self.syncs = 0
        self.fails_at = ""
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.has_begun = threading.Event()

    def on_step(self, step):
        if step == "sync-begin":
            self.syncs += 1
            self.has_begun.set()
            assert self.may_go_on.wait(30)
        if step == self.fails_at:
            raise OSError(28, "No space left on device")


def with_store(tmp_path, story):
    async def whole():
        disk = Disk()
        store = open_embedded(tmp_path / "kv", on_step=disk.on_step)
        try:
            await story(store, disk)
        finally:
            disk.may_go_on.set()
            await asyncio.gather(store.close(), return_exceptions=True)

    asyncio.run(whole())


async def put(store, key, value=b"x"):
    async def work(tx):
        tx.set(key, value)

    await store.transact(work)


async def settle():
    """Let every task run until it waits."""
    for _ in range(10):
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_result, None)
        await future
