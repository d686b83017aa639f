"""Tables: records, indexes, pages and upgrades, on every engine."""

import msgspec
import pytest

from cumulet.core.identity import Scope
from cumulet.kv.check import check_store
from cumulet.kv.contract import read_count
from cumulet.kv.records import UnknownVersion
from cumulet.kv.table import Table
from cumulet.kv.tuples import pack

HERE = Scope("123456789012", "eu-west-1")
THERE = Scope("123456789012", "us-east-1")
OTHER = Scope("999999999999", "eu-west-1")


class Song(msgspec.Struct, frozen=True):
    album: str
    number: int
    title: str = ""
    tags: tuple[str, ...] = ()


SONGS = Table(
    "music",
    "song",
    Song,
    lambda song: (song.album, song.number),
    indexes={
        "title": lambda song: [(song.title,)] if song.title else [],
        "tag": lambda song: [(tag,) for tag in song.tags],
    },
)


def titles(songs):
    return [song.title for song in songs]


async def fill(tx, scope=HERE):
    for album in ("blue", "blues", "red"):
        for number in (1, 2, 10):
            tags = ("odd",) if number % 2 else ("even", album)
            await SONGS.save(tx, scope, Song(album, number, f"{album}{number}", tags))


async def entries(tx):
    return len(await tx.scan(b"", b"\xff", limit=10_000))


def test_a_record_is_loaded_as_it_was_saved(engine):
    async def story(store):
        async def work(tx):
            assert await SONGS.load(tx, HERE, "blue", 1) is None
            assert await SONGS.save(tx, HERE, Song("blue", 1, "One")) is None
            assert await SONGS.save(tx, HERE, Song("blue", 1, "Two")) == Song("blue", 1, "One")
            assert await SONGS.load(tx, HERE, "blue", 1) == Song("blue", 1, "Two")

        await store.transact(work)
        found = await store.transact(lambda tx: SONGS.load(tx, HERE, "blue", 1))
        assert found == Song("blue", 1, "Two")

    engine.run(story)


def test_an_insert_tells_whether_the_key_was_free(engine):
    async def story(store):
        async def work(tx):
            first = await SONGS.insert(tx, HERE, Song("blue", 1, "One"))
            second = await SONGS.insert(tx, HERE, Song("blue", 1, "Two"))
            return first, second, await SONGS.load(tx, HERE, "blue", 1)

        assert await store.transact(work) == (True, False, Song("blue", 1, "One"))

    engine.run(story)


def test_a_record_with_a_key_of_its_own_is_added_unread(engine):
    async def work(tx):
        SONGS.add(tx, HERE, Song("blue", 1, "One"))
        assert await SONGS.load(tx, HERE, "blue", 1) == Song("blue", 1, "One")

    engine.run(lambda store: store.transact(work))


def test_a_dropped_record_leaves_nothing(engine):
    async def story(store):
        await store.transact(fill)

        async def work(tx):
            for song in await SONGS.scan(tx, HERE, limit=99):
                assert await SONGS.drop(tx, HERE, song.album, song.number) == song
            assert await SONGS.drop(tx, HERE, "blue", 1) is None

        await store.transact(work)
        assert await store.transact(entries) == 0

    engine.run(story)


def test_scans_follow_the_keys_in_pages(engine):
    async def story(store):
        await store.transact(fill)

        async def work(tx):
            scan = SONGS.scan
            assert titles(await scan(tx, HERE, "blue", limit=9)) == ["blue1", "blue2", "blue10"]
            assert titles(await scan(tx, HERE, "blue", limit=2, reverse=True)) == [
                "blue10",
                "blue2",
            ]
            pages, after = [], None
            while page := await scan(tx, HERE, limit=4, after=after):
                pages.append(titles(page))
                after = SONGS.key_of(page[-1])
            assert [len(page) for page in pages] == [4, 4, 1]
            assert [title for page in pages for title in page] == titles(
                await scan(tx, HERE, limit=99)
            )
            down = await scan(tx, HERE, limit=99, reverse=True, after=("blues", 2))
            assert titles(down) == ["blues1", "blue10", "blue2", "blue1"]
            assert titles(await scan(tx, HERE, limit=9, after=("blue",)))[0] == "blues1"
            assert titles(await scan(tx, HERE, limit=9, starts="blu"))[-1] == "blues10"
            assert await scan(tx, HERE, limit=9, starts="x") == []
            assert titles(
                await SONGS.scan_between(tx, HERE, ("blue", 2), ("blues", 2), limit=9)
            ) == ["blue2", "blue10", "blues1"]

        await store.transact(work)

    engine.run(story)


def test_an_after_outside_of_the_prefix_only_clips(engine):
    async def story(store):
        await store.transact(fill)

        async def work(tx):
            assert await SONGS.scan(tx, HERE, "blue", limit=9, after=("red", 1)) == []
            assert len(await SONGS.scan(tx, HERE, "red", limit=9, after=("blue", 1))) == 3
            assert len(await SONGS.scan(tx, HERE, "blue", limit=9, after=("z",), reverse=True)) == 3

        await store.transact(work)

    engine.run(story)


def test_an_index_finds_records_by_their_values(engine):
    async def story(store):
        await store.transact(fill)

        async def work(tx):
            find = SONGS.lookup
            assert titles(await find(tx, HERE, "tag", "odd", limit=9)) == [
                "blue1",
                "blues1",
                "red1",
            ]
            assert titles(await find(tx, HERE, "tag", "blue", limit=9)) == ["blue2", "blue10"]
            assert titles(await find(tx, HERE, "title", limit=3)) == ["blue1", "blue10", "blue2"]
            assert titles(await find(tx, HERE, "title", starts="red", limit=1)) == ["red1"]
            assert titles(
                await find(tx, HERE, "tag", "odd", limit=9, after=("odd", "blue", 1))
            ) == ["blues1", "red1"]
            assert titles(
                await find(tx, HERE, "tag", "odd", limit=1, reverse=True, after=("odd", "red", 1))
            ) == ["blues1"]
            assert titles(
                await SONGS.lookup_between(tx, HERE, "title", ("blue10",), ("blues",), limit=9)
            ) == ["blue10", "blue2"]

        await store.transact(work)

    engine.run(story)


def test_an_index_follows_changes_of_its_values(engine):
    async def story(store):
        async def work(tx):
            await SONGS.save(tx, HERE, Song("blue", 1, "One", ("a", "b")))
            await SONGS.save(tx, HERE, Song("blue", 1, "", ("b", "c")))
            assert await SONGS.lookup(tx, HERE, "title", limit=9) == []
            assert await SONGS.lookup(tx, HERE, "tag", "a", limit=9) == []
            for tag in ("b", "c"):
                assert len(await SONGS.lookup(tx, HERE, "tag", tag, limit=9)) == 1
            return await entries(tx)

        assert await store.transact(work) == 3
        assert await check_store(store, [SONGS]) == []

    engine.run(story)


def test_scopes_and_kinds_do_not_see_one_another(engine):
    albums = Table("music", "album", Song, lambda song: (song.album,), extent="account")
    shared = Table("music", "chart", Song, lambda song: (song.album,), extent="global")

    async def story(store):
        async def work(tx):
            await fill(tx)
            await SONGS.save(tx, THERE, Song("blue", 1, "There"))
            await albums.save(tx, HERE, Song("blue", 1, "Account"))
            await shared.save(tx, HERE, Song("blue", 1, "Everywhere"))
            assert titles(await SONGS.scan(tx, THERE, limit=9)) == ["There"]
            assert await SONGS.scan(tx, OTHER, limit=9) == []
            assert titles(await albums.scan(tx, THERE, limit=9)) == ["Account"]
            assert await albums.scan(tx, OTHER, limit=9) == []
            assert titles(await shared.scan(tx, OTHER, limit=9)) == ["Everywhere"]
            assert await SONGS.scopes(tx) == [HERE, THERE]
            assert await albums.scopes(tx) == [Scope("123456789012", "")]
            assert await shared.scopes(tx) == [Scope("", "")]

        await store.transact(work)

    engine.run(story)


def test_the_hook_is_told_old_and_new_in_the_same_transaction(engine):
    told = []

    def on_change(tx, scope, old, new):
        told.append((scope, old, new))
        tx.count(b"songs", (new is not None) - (old is not None))

    counted = Table("music", "song", Song, lambda song: (song.album,), on_change=on_change)

    async def story(store):
        one, two = Song("blue", 1), Song("blue", 2)

        async def work(tx):
            await counted.save(tx, HERE, one)
            await counted.save(tx, HERE, two)
            await counted.drop(tx, HERE, "blue")
            await counted.drop(tx, HERE, "blue")
            await counted.insert(tx, HERE, one)
            return read_count(await tx.get(b"songs"))

        assert await store.transact(work) == 1
        assert told == [(HERE, None, one), (HERE, one, two), (HERE, two, None), (HERE, None, one)]

    engine.run(story)


class SongV3(msgspec.Struct, frozen=True):
    album: str
    number: int
    name: str
    seconds: int
    art: bytes = b""


SONGS_V3 = Table(
    "music",
    "song",
    SongV3,
    lambda song: (song.album, song.number),
    version=3,
    upgrades={
        1: lambda old: {**old, "name": old["title"]},
        2: lambda old: {**old, "seconds": 0, "art": b"\x00art"},
    },
    indexes={"title": lambda song: [(song.name,)], "tag": lambda song: []},
)


def test_old_versions_are_upgraded_when_read_and_written_anew_when_saved(engine):
    async def story(store):
        async def work(tx):
            await SONGS.save(tx, HERE, Song("blue", 1, "One", ("a",)))
            upgraded = await SONGS_V3.load(tx, HERE, "blue", 1)
            assert upgraded == SongV3("blue", 1, "One", 0, b"\x00art")
            assert (await tx.get(SONGS.key(HERE, "blue", 1)))[0] == 1
            assert await SONGS_V3.save(tx, HERE, SongV3("blue", 1, "New", 3)) == upgraded
            assert (await tx.get(SONGS.key(HERE, "blue", 1)))[0] == 3
            assert await SONGS_V3.lookup(tx, HERE, "title", "One", limit=9) == []
            assert len(await SONGS_V3.lookup(tx, HERE, "title", "New", limit=9)) == 1
            with pytest.raises(UnknownVersion, match="version 3, and this release reads up to 1"):
                await SONGS.load(tx, HERE, "blue", 1)

        await store.transact(work)

    engine.run(story)


def test_a_key_tells_whose_record_it_is(engine):
    async def story(store):
        await store.transact(fill)

        async def work(tx):
            page = await SONGS.scan(tx, HERE, limit=2)
            return SONGS.owned(SONGS.key(HERE, *SONGS.key_of(page[-1])))

        assert await store.transact(work) == (HERE, ("blue", 2))
        assert SONGS.owned(pack(("", "", "music", "songs", "blue"))) is None
        assert SONGS.owned(pack((*HERE, "x", "y", "music", "song"))) is None

    engine.run(story)


def test_check_finds_each_kind_of_damage(engine):
    async def story(store):
        await store.transact(fill)
        assert await check_store(store, [SONGS]) == []
        blue = SONGS.prefix(HERE, "blue", 1)
        entry = pack((*HERE, "music", "song/title", "blue1", "blue", 1))

        async def complaints(change):
            before = {}

            async def damage(tx):
                before.update(await tx.scan(b"", b"\xff", limit=9_999))
                change(tx)

            async def restore(tx):
                tx.clear(b"", b"\xff")
                for key, value in before.items():
                    tx.set(key, value)

            await store.transact(damage)
            found = await check_store(store, [SONGS])
            await store.transact(restore)
            assert await check_store(store, [SONGS]) == []
            return found

        (missing,) = await complaints(lambda tx: tx.clear(entry))
        assert missing.endswith("song/title/blue1/blue/1 is missing")
        orphans = await complaints(lambda tx: tx.clear(blue))
        assert len(orphans) == 2
        assert all("names a record that is not there" in line for line in orphans)
        (stray,) = await complaints(
            lambda tx: tx.set(
                pack((*HERE, "music", "song/title", "red", "blue", 1)), pack(("blue", 1))
            )
        )
        assert "does not belong there" in stray
        (unreadable,) = await complaints(lambda tx: tx.set(blue, b"\x01\xc1"))
        assert "cannot be read" in unreadable
        other = pack((*HERE, "music", "song", "blue", 77))
        moved = await complaints(
            lambda tx: tx.set(
                other, b"\x01" + msgspec.msgpack.encode({"album": "blue", "number": 1})
            )
        )
        assert moved == [
            "123456789012/eu-west-1/music/song/blue/77: the record lies at another key than its own"
        ]

    engine.run(story)


def test_a_repair_makes_indexes_agree_with_records(engine):
    plain = Table("music", "song", Song, lambda song: (song.album, song.number))

    async def story(store):
        async def work(tx):
            for number in range(450):
                await plain.save(tx, HERE, Song("blue", number, f"t{number}", ("a",)))
            tx.set(pack((*HERE, "music", "song/title", "stray", "blue", 1)), pack(("blue", 1)))
            tx.set(pack((*HERE, "music", "song/title", "none", "gone", 1)), pack(("gone", 1)))
            tx.set(plain.key(HERE, "broken", 1), b"\x01\xc1")

        await store.transact(work)
        assert len(await check_store(store, [SONGS], repair=True)) == 450 * 2 + 3
        (left,) = await check_store(store, [SONGS])
        assert "broken/1: the record cannot be read" in left
        found = await store.transact(lambda tx: SONGS.lookup(tx, HERE, "tag", "a", limit=999))
        assert len(found) == 450

    engine.run(story)


def test_check_passes_by_keys_that_are_no_records_and_reads_in_pages(engine):
    async def story(store):
        async def work(tx):
            for number in range(700):
                await SONGS.save(tx, HERE, Song("long", number, f"t{number}"))
            tx.set(b"\x01 not a tuple", b"")
            tx.set(pack(("short",)), b"")
            tx.set(pack((1, 2, 3, 4, 5)), b"")
            tx.clear(pack((*HERE, "music", "song/title", "t650", "long", 650)))

        await store.transact(work)
        assert len(await check_store(store, [SONGS])) == 1

    engine.run(story)


def test_declarations_that_cannot_work_are_refused():
    class Row(msgspec.Struct, array_like=True):
        name: str

    with pytest.raises(ValueError, match="not as an array"):
        Table("music", "row", Row, lambda row: (row.name,))
    with pytest.raises(ValueError, match="slash"):
        Table("music", "song/title", Song, lambda song: (song.album,))
    with pytest.raises(ValueError, match="version"):
        Table("music", "song", Song, lambda song: (song.album,), version=0)
