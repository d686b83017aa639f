"""Keys follow one another, and tokens outlive the key that signed them."""

from __future__ import annotations

import asyncio
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.app.seal import FileSealer
from cumulet.core.clock import ManualClock
from cumulet.kv.memory import MemoryStore
from cumulet.services.cognito import store
from cumulet.services.cognito.limits import KEY_DAYS, RETIRED_DAYS
from cumulet.services.cognito.signing.keys import (
    KeyRing,
    drop_spent,
    first_keys,
    is_due,
    load_keys,
    make_key,
    ring_of,
    rotate,
)
from cumulet.services.cognito.signing.tokens import (
    BadToken,
    parse_token,
    verified,
    write_token,
)

SEALER = FileSealer(os.urandom(32))
POOL = "us-east-1_unit"
DAY = 86_400.0


@pytest.fixture(scope="module")
def ring() -> KeyRing:
    found = ring_of(asyncio.run(first_keys(ManualClock(), SEALER, POOL)), SEALER)
    assert found is not None
    return found


def test_the_next_key_is_published_before_it_signs(ring: KeyRing) -> None:
    assert len(ring.shown()["keys"]) == 2


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_token_with_any_letter_changed_is_false(ring: KeyRing, data: st.DataObject) -> None:
    token = write_token(ring, {"sub": "ann", "exp": 1})
    at = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("abcXYZ019-_."))
    changed = token[:at] + letter + token[at + 1 :]
    if changed == token:
        assert verified(ring, parse_token(token))["sub"] == "ann"
        return
    with pytest.raises(BadToken):
        verified(ring, parse_token(changed))


def test_keys_rotate() -> None:
    async def run() -> None:
        kv, clock = MemoryStore(), ManualClock()

        async def do(work: object, *args: object) -> object:
            return await kv.transact(lambda tx: work(tx, store.NOWHERE, *args))  # type: ignore[operator]

        for key in await first_keys(clock, SEALER, POOL):
            await do(store.KEYS.save, key)
        before = ring_of(await do(load_keys, POOL), SEALER)  # type: ignore[arg-type]
        assert before is not None
        token = write_token(before, {"sub": "ann"})
        assert not is_due(await do(load_keys, POOL), clock.now())  # type: ignore[arg-type]
        await clock.advance(KEY_DAYS * DAY + 1)
        assert is_due(await do(load_keys, POOL), clock.now())  # type: ignore[arg-type]
        fresh = await make_key(clock, SEALER, POOL, is_next=True)
        await do(rotate, fresh, clock.now())
        after = ring_of(await do(load_keys, POOL), SEALER)  # type: ignore[arg-type]
        assert after is not None
        assert after.id in before.public
        assert after.id != before.id
        assert verified(after, parse_token(token)) == {"sub": "ann"}
        assert len(after.public) == 3
        await clock.advance(RETIRED_DAYS * DAY + 1)
        await do(drop_spent, POOL, clock.now())
        last = ring_of(await do(load_keys, POOL), SEALER)  # type: ignore[arg-type]
        assert last is not None
        with pytest.raises(BadToken):
            verified(last, parse_token(token))

    asyncio.run(run())
