"""What RFC 6455 asks of a server, by the families of cases that conformance suites have.

Framing, pings and pongs, reserved bits, opcodes, fragmentation, UTF-8, the closing handshake and
limits, with raw frames. https://www.rfc-editor.org/rfc/rfc6455
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

import pytest
from tests.edge.websocket.test_messages import HANDSHAKE, echoing, no_answer, talking

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MASK = b"\x37\xfa\x21\x3d"
PROTOCOL_ERROR, INVALID_DATA, TOO_BIG = 1002, 1007, 1009


def frame(opcode: int, data: bytes = b"", *, fin: bool = True, reserved: int = 0) -> bytes:
    """One masked frame of a client."""
    head = bytes([(0x80 if fin else 0) | reserved << 4 | opcode])
    size = len(data)
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 1 << 16:
        head += b"\xfe" + struct.pack("!H", size)
    else:
        head += b"\xff" + struct.pack("!Q", size)
    return head + MASK + bytes(byte ^ MASK[at % 4] for at, byte in enumerate(data))


def close(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, struct.pack("!H", code) + reason)


BYE = close(1000)
LAST = b"the last ping"
Told = tuple[int, bytes]


def frames_of(data: bytes) -> list[Told]:
    """What a server sent: opcodes with whole payloads; fragments are joined."""
    found: list[Told] = []
    parts, opcode = b"", 0
    while data:
        first, size = data[0], data[1]
        assert not first & 0x70, "a reserved bit is set"
        assert not size & 0x80, "a server's frame is masked"
        at = 2
        if size == 126:
            size, at = struct.unpack("!H", data[2:4])[0], 4
        elif size == 127:
            size, at = struct.unpack("!Q", data[2:10])[0], 10
        payload, data = data[at : at + size], data[at + size :]
        assert len(payload) == size
        if first & 0x0F >= CLOSE:
            found.append((first & 0x0F, payload))
            continue
        opcode = first & 0x0F or opcode
        parts += payload
        if first & 0x80:
            found.append((opcode, parts))
            parts = b""
    return found


@pytest.fixture
def heard(run: Any, stage: Any):
    """What a server that echoes sends for these pieces, until it closes."""

    def play(pieces: Iterable[bytes], **limits: Any) -> list[Told]:
        async def work() -> list[Told]:
            async with stage(no_answer, talking(echoing), **limits) as s:
                wire = await s.connect(HANDSHAKE)
                await wire.head()
                early = b""
                for piece in pieces:
                    try:
                        if piece == BYE:
                            # What was said before is answered before the close is read.
                            await wire.send(frame(PING, LAST))
                            early = (await wire.reader.readuntil(LAST))[: -2 - len(LAST)]
                        await wire.send(piece)
                    except ConnectionError:
                        break
                return frames_of(early + await wire.ended())

        return run(work())

    return play


ENDED = (CLOSE, struct.pack("!H", 1000))


def fails(told: list[Told], code: int) -> None:
    """The server must have closed so, and said nothing behind it."""
    opcode, payload = told[-1]
    assert opcode == CLOSE
    assert struct.unpack("!H", payload[:2])[0] == code


class TestFraming:
    @pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 128, 32_768])
    @pytest.mark.parametrize("opcode", [TEXT, BINARY])
    def test_payloads_of_every_length_form_come_back(self, heard: Any, opcode: int, size: int):
        data = b"*" * size
        assert heard([frame(opcode, data), BYE]) == [(opcode, data), ENDED]

    @pytest.mark.parametrize("step", [1, 7, 997])
    def test_frames_in_small_pieces_are_put_together(self, heard: Any, step: int):
        sent = frame(TEXT, b"x" * 300) + frame(PING, b"p") + frame(BINARY, b"\xfe" * 200)
        pieces = [sent[at : at + step] for at in range(0, len(sent), step)]
        told = heard([*pieces, BYE])
        assert sorted(told[:-1]) == [(TEXT, b"x" * 300), (BINARY, b"\xfe" * 200), (PONG, b"p")]

    def test_unmasked_frame_is_an_error(self, heard: Any):
        fails(heard([b"\x81\x02hi"]), PROTOCOL_ERROR)

    def test_length_that_no_message_may_have_is_refused_before_it_comes(self, heard: Any):
        fails(heard([b"\x82\xff" + struct.pack("!Q", 1 << 62)]), TOO_BIG)
        fails(heard([b"\x82\xff" + b"\xff" * 8]), TOO_BIG)


class TestPings:
    @pytest.mark.parametrize("size", [0, 1, 124, 125])
    def test_ping_is_answered_with_its_payload(self, heard: Any, size: int):
        data = bytes(range(size))
        assert heard([frame(PING, data), BYE]) == [(PONG, data), ENDED]

    def test_longer_ping_is_an_error(self, heard: Any):
        fails(heard([frame(PING, b"x" * 126)]), PROTOCOL_ERROR)

    def test_unasked_pongs_are_ignored(self, heard: Any):
        assert heard([frame(PONG), frame(PONG, b"x"), frame(PING, b"y"), BYE]) == [
            (PONG, b"y"),
            ENDED,
        ]

    def test_many_pings_are_answered_in_order(self, heard: Any):
        pings = [frame(PING, b"%d" % number) for number in range(10)]
        assert heard([*pings, BYE]) == [*((PONG, b"%d" % n) for n in range(10)), ENDED]


class TestReservedBitsAndOpcodes:
    @pytest.mark.parametrize("reserved", range(1, 8))
    @pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, CLOSE])
    def test_reserved_bits_are_errors(self, heard: Any, opcode: int, reserved: int):
        fails(heard([frame(opcode, b"", reserved=reserved)]), PROTOCOL_ERROR)

    @pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
    def test_opcodes_without_a_meaning_are_errors(self, heard: Any, opcode: int):
        fails(heard([frame(opcode)]), PROTOCOL_ERROR)
        fails(heard([frame(opcode, b"payload"), frame(PING)]), PROTOCOL_ERROR)


class TestFragmentation:
    def test_fragments_are_one_message(self, heard: Any):
        parts = [frame(TEXT, b"fr", fin=False), frame(0, b"", fin=False), frame(0, b"ag")]
        assert heard([*parts, BYE]) == [(TEXT, b"frag"), ENDED]

    def test_control_frames_may_come_between_fragments(self, heard: Any):
        told = heard(
            [
                frame(TEXT, b"a", fin=False),
                frame(PING, b"1"),
                frame(0, b"b", fin=False),
                frame(PING, b"2"),
                frame(0, b"c"),
                BYE,
            ]
        )
        assert told[:2] == [(PONG, b"1"), (PONG, b"2")]
        assert told[2:] == [(TEXT, b"abc"), ENDED]

    @pytest.mark.parametrize("opcode", [PING, PONG, CLOSE])
    def test_control_frames_in_fragments_are_errors(self, heard: Any, opcode: int):
        fails(heard([frame(opcode, fin=False)]), PROTOCOL_ERROR)

    @pytest.mark.parametrize(
        "pieces",
        [
            [frame(0, b"x")],
            [frame(0, b"x", fin=False)],
            [frame(TEXT, b"x"), frame(0, b"y")],
            [frame(TEXT, b"x", fin=False), frame(TEXT, b"y")],
            [frame(TEXT, b"x", fin=False), frame(BINARY, b"y", fin=False)],
        ],
    )
    def test_fragments_out_of_turn_are_errors(self, heard: Any, pieces: list[bytes]):
        fails(heard(pieces), PROTOCOL_ERROR)

    def test_many_small_fragments_make_the_longest_message(self, heard: Any):
        parts = [frame(TEXT if n == 0 else 0, b"x" * 512, fin=n == 255) for n in range(256)]
        assert heard([*parts, BYE]) == [(TEXT, b"x" * 131_072), ENDED]


VALID = [
    *("\u03ba\u1f79\u03c3\u03bc\u03b5", "Hello-\u00b5@\u00df\u00f6\u00e4!!", "\x00", "\u07ff"),
    *("\u0800", "\ud7ff", "\ue000", "\ufffd", "\uffff", "\U00010000", "\U0010ffff"),
]
INVALID = [
    *(
        b"\xce\xba\xe1\xbd\xb9\xed\xa0\x80edited",
        b"\xf4\x90\x80\x80",
        b"\x80",
        b"\xbf",
        b"\xc0\xaf",
    ),
    *(b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x80\x80\x80\xaf", b"\xed\xa0\x80"),
    *(b"\xed\xbf\xbf", b"\xfe", b"\xff", b"\xc3", b"\xe2\x98", b"\xf0\x9f\x98", b"ok\xc3\x28"),
]


class TestUtf8:
    @pytest.mark.parametrize("text", VALID)
    def test_text_comes_back_even_when_cut_within_a_character(self, heard: Any, text: str):
        data = text.encode()
        whole = (TEXT, data)
        assert heard([frame(TEXT, data), BYE]) == [whole, ENDED]
        parts = [
            frame(TEXT if at == 0 else 0, data[at : at + 1], fin=at == len(data) - 1)
            for at in range(len(data))
        ]
        assert heard([*parts, BYE]) == [whole, ENDED]

    @pytest.mark.parametrize("data", INVALID)
    def test_text_that_is_none_is_an_error(self, heard: Any, data: bytes):
        fails(heard([frame(TEXT, data)]), INVALID_DATA)
        if len(data) > 1:
            fails(heard([frame(TEXT, data[:1], fin=False), frame(0, data[1:])]), INVALID_DATA)

    @pytest.mark.parametrize("data", INVALID)
    def test_binary_messages_may_hold_anything(self, heard: Any, data: bytes):
        assert heard([frame(BINARY, data), BYE]) == [(BINARY, data), ENDED]


class TestClosing:
    def test_close_without_a_code_is_answered_without_one(self, heard: Any):
        assert heard([frame(CLOSE)]) == [(CLOSE, b"")]

    @pytest.mark.parametrize(
        "code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
    )
    def test_codes_of_clients_are_echoed(self, heard: Any, code: int):
        [(opcode, payload)] = heard([close(code, b"reason")])
        assert (opcode, struct.unpack("!H", payload[:2])[0]) == (CLOSE, code)

    @pytest.mark.parametrize(
        "code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]
    )
    def test_codes_that_nobody_may_send_are_errors(self, heard: Any, code: int):
        fails(heard([close(code)]), PROTOCOL_ERROR)

    def test_half_a_code_is_an_error(self, heard: Any):
        fails(heard([frame(CLOSE, b"\x03")]), PROTOCOL_ERROR)

    def test_reason_must_be_text_and_short(self, heard: Any):
        assert heard([close(1000, b"x" * 123)])[0][0] == CLOSE
        fails(heard([close(1000, b"x" * 124)]), PROTOCOL_ERROR)
        told = heard([close(1000, b"\xce\xba\xe1")])
        assert struct.unpack("!H", told[-1][1][:2])[0] in (PROTOCOL_ERROR, INVALID_DATA)

    def test_nothing_is_answered_behind_a_close(self, heard: Any):
        told = heard([BYE + frame(TEXT, b"late") + frame(PING, b"late") + BYE])
        assert told == [ENDED]

    def test_close_within_a_fragmented_message_ends_it(self, heard: Any):
        [(opcode, _)] = heard([frame(TEXT, b"half", fin=False), BYE])
        assert opcode == CLOSE


class TestLimits:
    def test_frame_above_its_limit_is_too_big(self, heard: Any):
        assert heard([frame(TEXT, b"x" * 32_768), BYE])[-1] == ENDED
        fails(heard([frame(TEXT, b"x" * 32_769)]), TOO_BIG)

    def test_message_above_its_limit_is_too_big(self, heard: Any):
        parts = [frame(TEXT if n == 0 else 0, b"x" * 32_768, fin=False) for n in range(5)]
        fails(heard(parts), TOO_BIG)

    def test_compression_is_not_agreed_to(self, run: Any, stage: Any):
        offer = b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"

        async def work() -> None:
            async with stage(no_answer, talking(echoing)) as s:
                wire = await s.connect(HANDSHAKE.removesuffix(b"\r\n") + offer)
                status, fields = await wire.head()
                assert status == 101
                assert "sec-websocket-extensions" not in fields

        run(work())
