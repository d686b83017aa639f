"""Random histories: the engine on disk must do what the engine in memory does."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cumulet.kv.contract import read_count
from cumulet.kv.embedded import open_embedded
from cumulet.kv.memory import MemoryStore

KEYS = st.text("ab", max_size=3).map(lambda text: b"k" + text.encode())
EDGES = KEYS | st.sampled_from([b"", b"k", b"l", b"\xff", b"\xff\xff"])
COUNTERS = st.sampled_from([b"n1", b"n2"])
VALUES = st.binary(max_size=3)
LIMITS = st.integers(0, 6)

OPERATIONS = st.one_of(
    st.tuples(st.just("set"), KEYS, VALUES),
    st.tuples(st.just("clear"), KEYS),
    st.tuples(st.just("clear"), EDGES, EDGES),
    st.tuples(st.just("count"), COUNTERS, st.integers(-3, 3)),
    st.tuples(st.just("stamp"), st.sampled_from([b"s1/", b"s2/"]), st.sampled_from([b"x", b"y"])),
    st.tuples(st.just("get"), KEYS | COUNTERS),
    st.tuples(st.just("scan"), EDGES, EDGES, LIMITS, st.booleans()),
)
HISTORY = st.lists(OPERATIONS, min_size=1, max_size=12)


def plain(pairs):
    """Pairs without the versions in their keys, which each engine chooses for itself."""
    return [(key[:3] + key[13:] if key[:1] == b"s" else key, value) for key, value in pairs]


async def play(tx, history, is_refused):
    seen = []
    for name, *args in history:
        if name == "get":
            seen.append(await tx.get(args[0]))
        elif name == "scan":
            begin, end, limit, reverse = args
            seen.append(plain(await tx.scan(begin, end, limit=limit, reverse=reverse)))
        elif name == "stamp":
            tx.stamp(*args, b"%d" % len(seen))
        else:
            getattr(tx, name)(*args)
    if is_refused:
        raise LookupError(str(seen))
    return seen


class Agreement(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="kv-oracle-"))
        self.runner = asyncio.Runner()
        self.told = {"oracle": set(), "engine": set()}
        self.oracle = MemoryStore()
        self.oracle.on_change(b"k", self.told["oracle"].add)
        self.engine = self.runner.run(self.opened())

    async def opened(self):
        store = open_embedded(self.folder / "kv")
        store.on_change(b"k", self.told["engine"].add)
        return store

    def both(self, work):
        answers = []
        for store in (self.oracle, self.engine):
            try:
                answers.append(self.runner.run(store.transact(work)))
            except LookupError as error:
                answers.append(str(error))
        assert answers[0] == answers[1]
        return answers[0]

    @rule(history=HISTORY, is_refused=st.integers(0, 7).map(lambda number: number == 0))
    def transact(self, history, is_refused):
        self.both(lambda tx: play(tx, history, is_refused))
        # A clear of a key that was not there need not be told.
        assert self.told["oracle"] <= self.told["engine"]
        for told in self.told.values():
            told.clear()

    @rule(histories=st.lists(HISTORY, min_size=2, max_size=4))
    def transact_at_once(self, histories):
        """Started in one turn of the loop: the embedded engine runs them in that order."""

        async def all_of_them(store):
            works = [lambda tx, history=history: play(tx, history, False) for history in histories]
            return await asyncio.gather(*(store.transact(work) for work in works))

        oracle = self.runner.run(all_of_them(self.oracle))
        assert oracle == self.runner.run(all_of_them(self.engine))

    @rule()
    def reopen(self):
        self.runner.run(self.engine.close())
        self.engine = self.runner.run(self.opened())

    @invariant()
    def same_content(self):
        rows = self.both(lambda tx: play(tx, [("scan", b"", b"\xff" * 3, 999, False)], False))
        counters = self.both(lambda tx: play(tx, [("get", b"n1"), ("get", b"n2")], False))
        assert all(-9_999 < read_count(value) < 9_999 for value in counters)
        assert len(rows[0]) == len(set(rows[0])) or any(key[:1] == b"s" for key, _ in rows[0])

    def teardown(self):
        self.runner.run(self.engine.close())
        self.runner.close()
        shutil.rmtree(self.folder)


TestAgreement = Agreement.TestCase
TestAgreement.settings = settings(max_examples=30, stateful_step_count=12, deadline=None)
