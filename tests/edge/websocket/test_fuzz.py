"""Any bytes and any frames: the socket ends or goes on, and never fails."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.edge.websocket.test_conformance import frame

from cumulet.edge.http1.outbox import Outbox
from cumulet.edge.http1.outlet import Outlet
from cumulet.edge.limits import Limits
from cumulet.edge.websocket import WebSocket

LIMITS = Limits(message_bytes_max=400, frame_bytes_max=200, socket_queue_messages_max=4)


class Line:
    """A connection and its transport, which keep what they are told."""

    def __init__(self) -> None:
        self.written = b""
        self.paused = self.lingers = False

    def write(self, data: bytes) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return len(self.written)

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def linger(self) -> None:
        self.lingers = True


def fed(pieces: list[bytes]) -> tuple[Line, WebSocket]:
    line: Any = Line()
    socket = WebSocket(line, line, Outlet(line, Outbox(line)), LIMITS)
    for piece in pieces:
        socket.feed(piece)
    return line, socket


FRAMES = st.builds(
    frame,
    st.integers(0, 15),
    st.binary(max_size=260),
    fin=st.booleans(),
    reserved=st.sampled_from([0, 0, 0, 0, 1, 4]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=8))
def test_any_bytes_end_it_or_wait_for_more(pieces: list[bytes]):
    line, socket = fed(pieces)
    assert line.lingers == socket.has_ended
    assert len(line.written) < 4_000


@settings(max_examples=200, deadline=None)
@given(st.lists(FRAMES, max_size=12), st.integers(1, 50))
def test_any_frames_cut_anywhere_come_to_the_same(frames: list[bytes], step: int):
    whole = b"".join(frames)
    cut = [whole[at : at + step] for at in range(0, len(whole), step)]
    line, socket = fed([whole])
    other, same = fed(cut)
    assert socket.has_ended == same.has_ended
    if not socket.has_ended:
        assert line.written == other.written
    # Where two frames are wrong, the one that is told of may be either.
    elif socket.close_code != same.close_code:
        assert {socket.close_code, same.close_code} <= {1002, 1003, 1007, 1009}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=150), min_size=1, max_size=10))
def test_queue_of_messages_stops_the_reading(texts: list[str]):
    line, socket = fed([frame(1, text.encode()[:200]) for text in texts])
    if not socket.has_ended:
        assert line.paused == (len(texts) >= LIMITS.socket_queue_messages_max)
