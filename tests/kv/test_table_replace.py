"""Records that a transaction has read are replaced and removed without reading them again."""

import msgspec

from cumulet.core.identity import Scope
from cumulet.kv.check import check_store
from cumulet.kv.table import Table

HERE = Scope("123456789012", "eu-west-1")


class Song(msgspec.Struct, frozen=True):
    number: int
    title: str
    tags: tuple[str, ...] = ()


SONGS = Table(
    "music",
    "tune",
    Song,
    lambda song: (song.number,),
    indexes={
        "title": lambda song: [(song.title,)],
        "tag": lambda song: [(tag,) for tag in song.tags],
    },
)


def test_a_record_that_was_read_is_replaced_and_removed_with_its_entries(engine):
    async def work(tx):
        for number in range(6):
            await SONGS.save(tx, HERE, Song(number, f"song {number}", ("old", str(number))))

    async def change(tx):
        for song in await SONGS.scan(tx, HERE, limit=99):
            made = msgspec.structs.replace(song, title="new", tags=())
            SONGS.replace(tx, HERE, song, made if song.number % 2 else None)

    async def story(store):
        await store.transact(work)
        await store.transact(change)
        found = await store.transact(lambda tx: SONGS.lookup(tx, HERE, "title", limit=99))
        assert found == [Song(number, "new") for number in (1, 3, 5)]
        # Each record, and its one entry.
        assert len(await store.transact(lambda tx: tx.scan(b"", b"\xff", limit=99))) == 6
        assert await check_store(store, (SONGS,)) == []

    engine.run(story)
