"""Frames between the cloud and a runtime client."""

from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.sandbox import messages

texts = st.text(max_size=40)


@settings(max_examples=60)
@given(st.integers(0, 2**62), st.lists(texts, min_size=5, max_size=5), st.binary(max_size=200))
def test_an_event_survives_the_journey(deadline_ms, words, payload):
    request_id, trace_id, arn, client_context, identity = words
    frame = messages.pack_invoke(
        request_id, deadline_ms, trace_id, arn, client_context, identity, payload
    )
    size, kind = messages.FRAME.unpack_from(frame)
    assert kind == messages.INVOKE
    assert len(frame) == messages.FRAME.size + size
    assert messages.unpack_invoke(frame[messages.FRAME.size :]) == (deadline_ms, words, payload)


def test_a_frame_begins_with_its_length_and_kind():
    assert messages.pack_frame(messages.RESPONSE, b"abc") == b"\x03\x00\x00\x00\x12abc"
