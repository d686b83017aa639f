"""Output of a function becomes bounded lines."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.sandbox.links.logs import LogPump


class Bench:
    def __init__(self, line_bytes_max=100, bytes_max=1_000):
        read, self.write_fd = os.pipe()
        self.pump = LogPump(read, lambda: 1.5, line_bytes_max, bytes_max)
        self.lines = []
        self.pump.begin("r", self.lines.append)

    def write(self, data):
        os.write(self.write_fd, data)
        self.pump.read()

    def texts(self):
        return [line.text for line in self.lines]


@pytest.fixture
def bench():
    made = []

    def make(**bounds):
        made.append(Bench(**bounds))
        return made[-1]

    yield make
    for one in made:
        one.pump.close()
        os.close(one.write_fd)


def test_lines_carry_request_and_time(bench):
    one = bench()
    one.write(b"hello\n")
    assert (one.lines[0].request_id, one.lines[0].time_ms, one.lines[0].text) == (
        "r", 1500, "hello",
    )  # fmt: skip


def test_an_unfinished_line_ends_with_the_invocation(bench):
    one = bench()
    one.write(b"a\nb")
    assert one.texts() == ["a"]
    one.pump.finish()
    assert one.texts() == ["a", "b"]


def test_a_record_keeps_its_newlines(bench):
    one = bench()
    one.write(b"before\n\x1e7\none\ntwoafter\n")
    assert one.texts() == ["before", "one\ntwo", "after"]


def test_a_record_in_pieces_is_still_one(bench):
    one = bench()
    for piece in (b"\x1e", b"7", b"\non", b"e\ntw", b"o"):
        one.write(piece)
    assert one.texts() == ["one\ntwo"]


def test_a_line_without_end_is_cut(bench):
    one = bench()
    one.write(b"x" * 250)
    one.pump.finish()
    assert "".join(one.texts()) == "x" * 250
    assert max(map(len, one.texts())) <= 100


def test_a_record_of_false_length_takes_nothing_else_with_it(bench):
    one = bench()
    one.write(b"\x1e99999999\n" + b"y" * 300)
    one.pump.finish()
    one.pump.begin("s", one.lines.append)
    one.write(b"next\n")
    assert one.texts()[-1] == "next"


def test_what_is_too_much_is_counted(bench):
    one = bench(bytes_max=10)
    one.write(b"12345678\n" + b"abcdefgh\n" * 3)
    one.write(b"more\n")
    one.pump.finish()
    assert one.texts()[0] == "12345678"
    assert one.texts()[1].startswith("[cumulet] 32 bytes of output were left out")
    one.pump.begin("s", one.lines.append)
    one.write(b"fresh\n")
    assert one.texts()[-1] == "fresh"


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=60), max_size=8))
def test_any_bytes_in_any_pieces_never_break_it(pieces):
    one = Bench(line_bytes_max=20, bytes_max=100)
    for piece in pieces:
        if piece:
            one.write(piece)
    one.pump.finish()
    assert all(len(text.encode("utf-8", "replace")) <= 120 for text in one.texts())
    one.pump.close()
    os.close(one.write_fd)
