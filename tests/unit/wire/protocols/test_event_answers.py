import asyncio
import json

import pytest

from cumulet.core.errors import AwsError, InternalFailure
from cumulet.wire.codec import write_response
from cumulet.wire.protocols.eventstream import CONTENT_TYPE, FrameDecoder


def answered(catalog, service, name, output):
    model = catalog.service(service)
    response = write_response(model, model.operation(name), model.protocols[0], output, "id")
    assert dict(response.headers)["content-type"] == CONTENT_TYPE

    async def collect():
        return b"".join([piece async for piece in response.body])

    return list(FrameDecoder().feed(asyncio.run(collect())))


async def stream(*events):
    for event in events:
        if isinstance(event, Exception):
            raise event
        yield event


def test_a_payload_member_is_the_payload(catalog):
    events = stream({"PayloadChunk": {"Payload": b"ab"}}, {"InvokeComplete": {}})
    output = {"StatusCode": 200, "EventStream": events}
    first, last = answered(catalog, "lambda", "InvokeWithResponseStream", output)
    assert (first.name, first.payload) == ("PayloadChunk", b"ab")
    assert first.headers[":content-type"] == "application/octet-stream"
    assert first.headers[":message-type"] == "event"
    assert (last.name, json.loads(last.payload)) == ("InvokeComplete", {})


def test_members_are_the_payload_otherwise(catalog):
    delta = {"contentBlockDelta": {"delta": {"text": "hi"}, "contentBlockIndex": 0}}
    (event,) = answered(catalog, "bedrock-runtime", "ConverseStream", {"stream": stream(delta)})
    assert event.name == "contentBlockDelta"
    assert json.loads(event.payload) == delta["contentBlockDelta"]


def test_rpc_protocols_begin_with_the_other_members(catalog):
    start = {"sessionStart": {"sessionId": "s"}}
    output = {"responseStream": stream(start)}
    initial, event = answered(catalog, "logs", "StartLiveTail", output)
    assert (initial.name, initial.payload) == ("initial-response", b"{}")
    assert event.name == "sessionStart"


def test_xml_events(catalog):
    events = stream(
        {"Records": {"Payload": b"row"}}, {"Stats": {"Details": {"BytesScanned": 5}}}, {"End": {}}
    )
    records, stats, end = answered(catalog, "s3", "SelectObjectContent", {"Payload": events})
    assert records.payload == b"row"
    assert b"<BytesScanned>5</BytesScanned>" in stats.payload
    assert (end.name, end.payload) == ("End", b"")


def test_a_modelled_error_is_an_exception_of_the_stream(catalog):
    error = AwsError("slow down", code="ThrottlingException")
    (event,) = answered(catalog, "bedrock-runtime", "ConverseStream", {"stream": stream(error)})
    assert event.headers[":message-type"] == "exception"
    assert event.headers[":exception-type"] == "throttlingException"
    assert json.loads(event.payload) == {"message": "slow down"}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AwsError("odd", code="Odd"), "Odd"),
        (InternalFailure("ours"), "InternalServerException"),
    ],
)
def test_any_other_error_is_an_error_message(catalog, error, code):
    output = {"StatusCode": 200, "EventStream": stream(error)}
    (event,) = answered(catalog, "lambda", "InvokeWithResponseStream", output)
    assert event.headers == {
        ":error-code": code,
        ":error-message": error.message,
        ":message-type": "error",
    }


def test_a_client_that_goes_away_closes_the_operations_stream(catalog):
    closed = []

    async def endless():
        try:
            while True:
                yield {"PayloadChunk": {"Payload": b"x"}}
        finally:
            closed.append(True)

    model = catalog.service("lambda")
    operation = model.operation("InvokeWithResponseStream")
    output = {"StatusCode": 200, "EventStream": endless()}
    response = write_response(model, operation, "rest-json", output, "id")

    async def leave():
        async for _ in response.body:
            break
        await response.body.aclose()

    asyncio.run(leave())
    assert closed == [True]


def test_an_answer_may_have_no_events(catalog):
    assert answered(catalog, "bedrock-runtime", "ConverseStream", {}) == []
