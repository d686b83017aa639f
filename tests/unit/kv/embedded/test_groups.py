import itertools

from hypothesis import given
from hypothesis import strategies as st

from cumulet.kv.embedded.groups import Group

KEYS = st.text("abc", max_size=3).map(str.encode)
RANGES = st.tuples(KEYS, KEYS).filter(lambda pair: pair[0] < pair[1])
COMMITS = st.lists(st.tuples(st.lists(KEYS, max_size=4), st.lists(RANGES, max_size=1)), max_size=6)
EVERY_KEY = [b""] + [
    bytes(letters) for length in (1, 2, 3) for letters in itertools.product(b"abc", repeat=length)
]


@given(COMMITS, KEYS, RANGES)
def test_a_group_knows_what_it_touches_while_it_grows(commits, key, asked):
    group = Group()
    touched: set[bytes] = set()
    begin, end = asked
    for keys, ranges in commits:
        group.add(keys, ranges)
        touched.update(keys)
        touched.update(one for one in EVERY_KEY for start, stop in ranges if start <= one < stop)
        assert group.touches(key) == (key in touched)
        if any(begin <= one < end for one in touched):
            assert group.touches_range(begin, end)
        elif not any(group.ranges):
            assert not group.touches_range(begin, end)
