"""What every engine must do when many transactions run at once."""

import asyncio
import random

from cumulet.kv.contract import read_count

TASKS = 16
ROUNDS = 12


def test_read_and_write_back_loses_no_update(engine):
    async def story(store):
        async def add(tx):
            value = int(await tx.get(b"n") or b"0")
            tx.set(b"n", b"%d" % (value + 1))
            return value

        async def task():
            return [await store.transact(add) for _ in range(ROUNDS)]

        seen = await asyncio.gather(*(task() for _ in range(TASKS)))
        assert sorted(value for values in seen for value in values) == list(range(TASKS * ROUNDS))
        assert all(values == sorted(values) for values in seen)

    engine.run(story)


def test_adders_of_a_counter_never_conflict(engine):
    runs = 0

    async def story(store):
        async def add(tx):
            nonlocal runs
            runs += 1
            await tx.get(b"unrelated")
            tx.count(b"n", 1)

        async def task():
            for _ in range(ROUNDS):
                await store.transact(add)

        await asyncio.gather(*(task() for _ in range(TASKS)))
        assert read_count(await store.transact(lambda tx: tx.get(b"n"))) == TASKS * ROUNDS
        assert runs == TASKS * ROUNDS

    engine.run(story)


def test_a_range_that_was_read_is_protected_from_newcomers(engine):
    """Each takes the next free number by scanning: two must never take the same."""

    async def story(store):
        async def take(tx, name):
            last = await tx.scan(b"s/", b"s0", limit=1, reverse=True)
            number = int(last[0][0][2:]) + 1 if last else 0
            tx.set(b"s/%06d" % number, name)

        async def task(name):
            for _ in range(ROUNDS):
                await store.transact(lambda tx: take(tx, name))

        await asyncio.gather(*(task(b"%d" % number) for number in range(TASKS)))
        rows = await store.transact(lambda tx: tx.scan(b"s/", b"s0", limit=10_000))
        assert [key for key, _ in rows] == [b"s/%06d" % n for n in range(TASKS * ROUNDS)]

    engine.run(story)


def test_money_moves_and_the_sum_stays(engine):
    chooser = random.Random(7)

    async def story(store):
        names = [b"account/%d" % number for number in range(4)]

        async def fill(tx):
            for name in names:
                tx.set(name, b"100")

        async def move(tx, giver, taker, amount):
            has = int(await tx.get(giver) or b"0")
            if has < amount:
                return
            tx.set(giver, b"%d" % (has - amount))
            tx.set(taker, b"%d" % (int(await tx.get(taker) or b"0") + amount))

        async def total(tx):
            first = await tx.scan(names[0], names[2], limit=9)
            second = [await tx.get(name) for name in names[2:]]
            return sum(int(value) for _, value in first) + sum(
                int(value or b"0") for value in second
            )

        await store.transact(fill)

        async def mover():
            for _ in range(ROUNDS):
                giver, taker = chooser.sample(names, 2)
                amount = chooser.randint(1, 60)
                await store.transact(lambda tx, g=giver, t=taker, a=amount: move(tx, g, t, a))

        async def watcher():
            return [await store.transact(total) for _ in range(ROUNDS)]

        answers = await asyncio.gather(*(mover() for _ in range(TASKS)), watcher(), watcher())
        assert set(answers[-1] + answers[-2]) == {400}
        assert await store.transact(total) == 400

    engine.run(story)


def test_two_who_read_each_others_key_are_not_both_let_through(engine):
    """Write skew: one of a pair must stay on duty."""

    async def story(store):
        async def fill(tx):
            tx.set(b"duty/a", b"")
            tx.set(b"duty/b", b"")

        async def leave(tx, name):
            others = [key for key, _ in await tx.scan(b"duty/", b"duty0", limit=9) if key != name]
            if others:
                tx.clear(name)

        await store.transact(fill)
        await asyncio.gather(
            store.transact(lambda tx: leave(tx, b"duty/a")),
            store.transact(lambda tx: leave(tx, b"duty/b")),
        )
        assert len(await store.transact(lambda tx: tx.scan(b"", b"z", limit=9))) == 1

    engine.run(story)


def test_stamps_follow_the_order_in_which_effects_can_be_seen(engine):
    async def story(store):
        async def append(tx, name):
            length = int(await tx.get(b"length") or b"0")
            tx.set(b"length", b"%d" % (length + 1))
            tx.stamp(b"log/", b"/" + name, b"%d" % length)

        async def task(name):
            for _ in range(ROUNDS):
                await store.transact(lambda tx: append(tx, name))

        await asyncio.gather(*(task(b"%d" % number) for number in range(TASKS)))
        rows = await store.transact(lambda tx: tx.scan(b"log/", b"log0", limit=10_000))
        assert [int(value) for _, value in rows] == list(range(TASKS * ROUNDS))

    engine.run(story)


def test_a_cancelled_task_harms_nobody_else(engine):
    async def story(store):
        async def add(tx):
            tx.count(b"n", 1)

        tasks = [asyncio.gather(store.transact(add)) for _ in range(TASKS)]
        for task in tasks[::2]:
            task.cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(not isinstance(answer, BaseException) for answer in answers[1::2])
        count = read_count(await store.transact(lambda tx: tx.get(b"n")))
        assert TASKS // 2 <= count <= TASKS

    engine.run(story)
