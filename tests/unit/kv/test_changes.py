import itertools

from hypothesis import assume, given
from hypothesis import strategies as st

from cumulet.kv.changes import Changes

KEYS = st.text("ab", max_size=3).map(str.encode)


def is_woken(watch):
    return watch._is_changed


# Around the sizes of the heads by which prefixes are found.
LONG_KEYS = st.builds(
    lambda pad, tail: b"a" * pad + tail, st.sampled_from([0, 0, 6, 7, 8, 30, 31, 32, 40]), KEYS
)


@given(st.lists(LONG_KEYS, max_size=4), st.lists(LONG_KEYS, max_size=4))
def test_a_written_key_wakes_the_watches_on_its_beginnings(watched, written):
    changes = Changes()
    watches = [(prefix, changes.watch(prefix)) for prefix in watched]
    changes.tell(written)
    for prefix, watch in watches:
        assert is_woken(watch) == any(key.startswith(prefix) for key in written)


@given(st.lists(LONG_KEYS, max_size=4), st.lists(LONG_KEYS, max_size=4, unique=True))
def test_each_listener_is_told_once_of_each_key_under_its_prefix(prefixes, written):
    changes = Changes()
    told = [list[bytes]() for _ in prefixes]
    ends = [
        changes.listen(prefix, mine.append) for prefix, mine in zip(prefixes, told, strict=True)
    ]
    changes.tell(written)
    for prefix, mine in zip(prefixes, told, strict=True):
        assert mine == [key for key in written if key.startswith(prefix)]
    assert sorted(changes.listened) == sorted(set(prefixes))
    for end in ends:
        end()
    changes.tell(written)
    assert sum(map(len, told)) == sum(key.startswith(p) for p in prefixes for key in written)
    assert changes.listened == []


def test_a_key_costs_no_more_for_prefixes_that_begin_otherwise():
    """Only as many beginnings are looked up as there are lengths of prefixes near to the key."""
    changes = Changes()
    for number in range(2_000):
        changes.listen(b"%08d" % number + b"x" * number, lambda key: None)
    looked_up = [
        length
        for size, heads in changes._listeners._levels
        for length in heads.get((b"00000007" + b"x" * 3_000)[:size], ())
    ]
    assert looked_up == [15]


ALL_KEYS = [
    bytes(letters) for length in range(7) for letters in itertools.product(b"\0ab", repeat=length)
]


@given(KEYS, KEYS, KEYS)
def test_a_cleared_range_wakes_the_watches_whose_keys_it_holds(prefix, begin, end):
    assume(begin < end)
    changes = Changes()
    watch = changes.watch(prefix)
    changes.tell((), [(begin, end)])
    assert is_woken(watch) == any(begin <= key < end and key.startswith(prefix) for key in ALL_KEYS)


def test_forgotten_watches_leave_nothing():
    changes = Changes()
    watches = [changes.watch(b"a"), changes.watch(b"a"), changes.watch(b"bb"), changes.watch(b"")]
    for watch in watches:
        watch.cancel()
        watch.cancel()
    assert not changes._watches
    assert not any(heads for _, heads in changes._watches._levels)


def test_a_listener_may_end_itself_while_it_is_told():
    changes = Changes()
    told = []

    def once(key):
        told.append(key)
        end()

    end = changes.listen(b"k", once)
    changes.tell([b"k1"])
    changes.tell([b"k2"])
    assert told == [b"k1"]
    assert changes.listened == []
