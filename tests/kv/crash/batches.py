"""What the crash tests write, and what must hold of it whenever a store is opened again."""

import msgspec

from cumulet.core.identity import Scope
from cumulet.kv.check import check_store
from cumulet.kv.contract import read_count
from cumulet.kv.table import Table

HERE = Scope("123456789012", "eu-west-1")
PARTS = 3


class Part(msgspec.Struct, frozen=True):
    batch: int
    number: int
    load: bytes


PARTS_OF_BATCHES = Table(
    "crash",
    "part",
    Part,
    lambda part: (part.batch, part.number),
    indexes={"number": lambda part: [(part.number, part.load[:4])]},
)


async def save_batch(tx, number: int) -> None:
    """One batch: some records with index entries, a count and a stamp; more or less bytes."""
    load = number.to_bytes(4, "big") * (10 + number * 37 % 400)
    for part in range(PARTS):
        await PARTS_OF_BATCHES.save(tx, HERE, Part(number, part, load))
    tx.count(b"\x01count", 1)
    tx.stamp(b"\x01stamp/", b"", b"%d" % number)


async def check_batches(store) -> list[int]:
    """The numbers of the batches that are there, having checked that each is whole."""
    counts: dict[int, int] = {}
    after = None
    while True:
        page = await store.transact(
            lambda tx, after=after: PARTS_OF_BATCHES.scan(tx, HERE, limit=500, after=after)
        )
        if not page:
            break
        for part in page:
            counts[part.batch] = counts.get(part.batch, 0) + 1
            assert part.load[:4] == part.batch.to_bytes(4, "big")
        after = PARTS_OF_BATCHES.key_of(page[-1])
    assert set(counts.values()) <= {PARTS}
    assert read_count(await store.transact(lambda tx: tx.get(b"\x01count"))) == len(counts)
    stamps = await store.transact(lambda tx: tx.scan(b"\x01stamp/", b"\x01stamp0", limit=100_000))
    assert sorted(int(value) for _, value in stamps) == sorted(counts)
    assert await check_store(store, [PARTS_OF_BATCHES]) == []
    return sorted(counts)


async def check_new_stamp(store) -> None:
    """A new stamp sorts behind all that are there."""

    async def write(tx):
        tx.stamp(b"\x01stamp/", b"", b"-1")

    async def take_back(tx):
        last = await tx.scan(b"\x01stamp/", b"\x01stamp0", limit=1, reverse=True)
        assert last[0][1] == b"-1"
        tx.clear(last[0][0])

    await store.transact(write)
    await store.transact(take_back)
