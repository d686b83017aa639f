"""Node.js functions: CommonJS, ES modules, callbacks, streams, errors and console.

https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html
"""

import json
import re
import shutil

import pytest

from cumulet.sandbox import Failed, Succeeded

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")


class Sink:
    def __init__(self):
        self.content_type = None
        self.chunks = []

    async def begin(self, content_type):
        self.content_type = content_type

    async def write(self, chunk):
        self.chunks.append(chunk)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("index_js", "exports.handler = async (event) => ({got: event});"),
        ("index_mjs", "export const handler = async (event) => ({got: event});"),
        ("index_cjs", "exports.handler = (event, context, done) => done(null, {got: event});"),
        ("index_js", "exports.handler = (event, context) => context.succeed({got: event});"),
        ("index_js", "exports.handler = (event, context, done) => {"
                     "setTimeout(() => done(null, {got: event}), 5);};"),
    ],
)  # fmt: skip
def test_every_form_of_handler_returns(play, name, source):
    async def scenario(stage):
        spec = stage.node(source, name)
        for number in range(3):
            outcome = await stage.invoke(spec, json.dumps({"n": number}).encode())
            assert isinstance(outcome, Succeeded), outcome
            assert json.loads(outcome.payload) == {"got": {"n": number}}

    play(scenario)


def test_a_module_package_and_a_nested_handler(play):
    async def scenario(stage):
        spec = stage.node("export const go = {deep: async () => 1};", "lib__index_js",
                          handler="lib/index.go.deep")  # fmt: skip
        (spec.code / "package.json").write_text('{"type": "module"}')
        assert (await stage.invoke(spec)).payload == b"1"

    play(scenario)


def test_the_context_and_the_console(play):
    async def scenario(stage):
        spec = stage.node(
            "exports.handler = async (event, context) => {"
            "console.log('a', {b: 1}); console.error('bad\\nworse');"
            "return [context.awsRequestId, context.functionName, context.memoryLimitInMB,"
            "context.invokedFunctionArn, context.getRemainingTimeInMillis() > 0]; };",
            env={"AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128"},
        )
        outcome = await stage.invoke(spec, request_id="id-5", function_arn="arn:f")
        assert json.loads(outcome.payload) == ["id-5", "f", "128", "arn:f", True]
        time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
        assert re.fullmatch(rf"{time}\tid-5\tINFO\ta {{ b: 1 }}", stage.texts()[0])
        assert re.fullmatch(rf"{time}\tid-5\tERROR\tbad\nworse", stage.texts()[1])

    play(scenario)


def test_an_error_has_type_message_and_trace(play):
    async def scenario(stage):
        spec = stage.node("exports.handler = async () => { throw new TypeError('no'); };")
        outcome = await stage.invoke(spec)
        assert isinstance(outcome, Failed)
        document = json.loads(outcome.payload)
        assert (document["errorType"], document["errorMessage"]) == ("TypeError", "no")
        assert document["trace"][0] == "TypeError: no"
        assert "/var/task/index.js:1" in document["trace"][1]
        assert outcome.kind == "Unhandled"

    play(scenario)


@pytest.mark.parametrize(
    ("source", "handler", "error_type"),
    [
        ("exports.other = 1;", "index.handler", "Runtime.HandlerNotFound"),
        ("", "absent.handler", "Runtime.ImportModuleError"),
        ("exports.handler = (", "index.handler", "Runtime.UserCodeSyntaxError"),
        ("throw new RangeError('x');", "index.handler", "RangeError"),
    ],
)
def test_a_handler_that_cannot_be_loaded(play, source, handler, error_type):
    async def scenario(stage):
        outcome = await stage.invoke(stage.node(source, handler=handler))
        assert outcome.error_type == error_type

    play(scenario)


def test_an_uncaught_error_ends_the_environment(play):
    async def scenario(stage):
        spec = stage.node("exports.handler = (e, c, done) => {"
                          "setImmediate(() => { throw new Error('late'); }); };")  # fmt: skip
        outcome = await stage.invoke(spec)
        assert (outcome.error_type, outcome.error_message) == ("Error", "late")
        assert (await stage.invoke(spec)).usage.init_ms is not None

    play(scenario)


def test_a_stream_reaches_the_sink_piece_by_piece(play):
    async def scenario(stage):
        sink = Sink()
        spec = stage.node(
            "exports.handler = awslambda.streamifyResponse(async (event, stream) => {"
            "stream = awslambda.HttpResponseStream.from(stream, {statusCode: 201});"
            "stream.write('one'); await new Promise(r => setTimeout(r, 20));"
            "stream.write('two'); stream.end(); });"
        )
        outcome = await stage.invoke(spec, sink=sink)
        assert isinstance(outcome, Succeeded)
        assert outcome.streamed
        assert sink.content_type == "application/vnd.awslambda.http-integration-response"
        assert b"".join(sink.chunks) == b'{"statusCode":201}' + bytes(8) + b"onetwo"
        assert len(sink.chunks) >= 3
        whole = await stage.invoke(spec)
        assert whole.payload == b'{"statusCode":201}' + bytes(8) + b"onetwo"

    play(scenario)


def test_a_stream_larger_than_every_buffer(play):
    async def scenario(stage):
        sink = Sink()
        spec = stage.node(
            "const {pipeline} = require('stream/promises'); const {Readable} = require('stream');"
            "exports.handler = awslambda.streamifyResponse(async (event, stream) => {"
            "await pipeline(Readable.from(function* () {"
            "for (let i = 0; i < 100; i++) yield Buffer.alloc(100000, i); }()), stream); });",
            timeout_ms=20_000,
        )
        outcome = await stage.invoke(spec, sink=sink)
        assert isinstance(outcome, Succeeded), outcome
        assert b"".join(sink.chunks) == b"".join(bytes([i]) * 100_000 for i in range(100))

    play(scenario)


def test_a_stream_that_breaks_off(play):
    async def scenario(stage):
        sink = Sink()
        spec = stage.node(
            "exports.handler = awslambda.streamifyResponse(async (event, stream) => {"
            "stream.write('one'); throw new Error('midway'); });"
        )
        outcome = await stage.invoke(spec, sink=sink)
        assert isinstance(outcome, Failed)
        assert outcome.streamed
        assert outcome.error_message == "midway"
        assert sink.chunks == [b"one"]

    play(scenario)
