"""Answers of one turn go together, in their order, and none is kept back by another."""

from __future__ import annotations

from typing import Any

from cumulet.edge.http1.outbox import Outbox
from cumulet.edge.http1.outlet import Outlet
from cumulet.edge.limits import ANSWER_HELD_BYTES_MAX, ANSWERS_TOGETHER_MAX


class Loop:
    """Keeps what is called soon until the turn ends."""

    def __init__(self) -> None:
        self.soon: list[Any] = []

    def call_soon(self, work: Any) -> None:
        self.soon.append(work)

    def end_turn(self) -> None:
        due, self.soon = self.soon, []
        for work in due:
            work()


class Transport:
    """Tells all clients' writes in the order in which they are made."""

    def __init__(self, name: str, told: list[Any], *, unsent: int = 0) -> None:
        self.name, self.told, self.unsent = name, told, unsent
        self.breaks = False

    def write(self, data: bytes) -> None:
        if self.breaks:
            raise RuntimeError("it breaks")
        self.told.append((self.name, data))

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def __getattr__(self, verb: str) -> Any:
        return lambda: self.told.append((self.name, verb))


class Room:
    """Some clients, whose requests are all being answered."""

    def __init__(self, names: str, in_hand: int = 2) -> None:
        self.loop: Any = Loop()
        self.outbox = Outbox(self.loop)
        self.outbox.in_hand = in_hand
        self.told: list[Any] = []
        self.transports: Any = {name: Transport(name, self.told) for name in names}
        self.outlets = {
            name: Outlet(transport, self.outbox) for name, transport in self.transports.items()
        }


def test_answers_wait_for_the_end_of_the_turn_and_keep_their_order():
    room = Room("abc")
    for name in "bca":
        room.outlets[name].answer(name.encode())
    assert room.told == []
    assert len(room.loop.soon) == 1
    room.loop.end_turn()
    assert room.told == [("b", b"b"), ("c", b"c"), ("a", b"a")]
    room.outlets["a"].answer(b"2")
    room.loop.end_turn()
    assert room.told[3:] == [("a", b"2")]


def test_only_request_is_answered_at_once():
    room = Room("a", in_hand=1)
    room.outlets["a"].answer(b"1")
    assert room.told == [("a", b"1")]
    assert not room.loop.soon


def test_last_request_in_hand_takes_those_with_it_that_wait():
    room = Room("ab")
    room.outlets["a"].answer(b"1")
    room.outbox.in_hand = 1
    room.outlets["b"].answer(b"2")
    assert room.told == [("a", b"1"), ("b", b"2")]
    room.loop.end_turn()
    assert len(room.told) == 2


def test_first_answer_waits_for_a_bounded_number_of_others():
    names = "".join(chr(256 + number) for number in range(ANSWERS_TOGETHER_MAX))
    room = Room(names, in_hand=1_000)
    for name in names[:-1]:
        room.outlets[name].answer(b"1")
    assert room.told == []
    room.outlets[names[-1]].answer(b"1")
    assert len(room.told) == ANSWERS_TOGETHER_MAX


def test_answer_that_cannot_be_sent_ends_its_connection_and_no_other():
    room = Room("abc")
    room.transports["b"].breaks = True
    for name in "abc":
        room.outlets[name].answer(b"1")
    room.loop.end_turn()
    assert room.told == [("a", b"1"), ("b", "abort"), ("c", b"1")]


def test_client_that_left_gets_nothing():
    room = Room("ab")
    for outlet in room.outlets.values():
        outlet.answer(b"1")
    room.outlets["a"].close()
    room.loop.end_turn()
    assert room.told == [("b", b"1")]


def test_what_is_written_or_ended_meanwhile_comes_after_the_answer():
    room = Room("abc")
    for outlet in room.outlets.values():
        outlet.answer(b"1")
    room.outlets["a"].write(b"2")
    room.outlets["b"].end()
    room.outlets["c"].end_writing()
    expected = [("a", b"1"), ("a", b"2"), ("b", b"1"), ("b", "close"), ("c", b"1")]
    assert room.told == [*expected, ("c", "write_eof")]
    room.loop.end_turn()
    assert len(room.told) == 6


def test_second_answer_of_a_turn_does_not_wait():
    room = Room("a")
    room.outlets["a"].answer(b"1")
    room.outlets["a"].answer(b"2")
    assert room.told == [("a", b"1"), ("a", b"2")]


def test_long_answers_and_those_of_slow_clients_are_left_to_the_transport():
    room = Room("ab")
    long = b"x" * (ANSWER_HELD_BYTES_MAX + 1)
    room.outlets["a"].answer(long)
    room.transports["b"].unsent = 1
    room.outlets["b"].answer(b"1")
    assert room.told == [("a", long), ("b", b"1")]
    assert not room.loop.soon
