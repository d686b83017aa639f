import itertools

from hypothesis import assume, given
from hypothesis import strategies as st

from cumulet.kv.changes import Changes

KEYS = st.text("ab", max_size=3).map(str.encode)


def is_woken(watch):
    return watch._is_changed


@given(st.lists(KEYS, max_size=4), st.lists(KEYS, max_size=4))
def test_a_written_key_wakes_the_watches_on_its_beginnings(watched, written):
    changes = Changes()
    watches = [(prefix, changes.watch(prefix)) for prefix in watched]
    changes.tell(written)
    for prefix, watch in watches:
        assert is_woken(watch) == any(key.startswith(prefix) for key in written)


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
    assert (changes._watches, changes._lengths) == ({}, {})


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
