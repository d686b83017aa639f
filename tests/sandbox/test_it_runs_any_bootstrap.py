"""Custom runtimes over the Runtime API, and extensions beside them.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import shutil

import pytest

from cumulet.sandbox import Failed, Succeeded

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")

SHELL = """#!/bin/sh
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime
while true; do
  head=$(mktemp)
  event=$(curl -sS -D $head $api/invocation/next)
  id=$(grep -i Lambda-Runtime-Aws-Request-Id $head | tr -d '[:space:]' | cut -d: -f2)
  echo "event $event"
  %s
done
"""
ANSWER = 'curl -sS -o /dev/null $api/invocation/$id/response -d "{\\"echo\\": $event}"'
EXTENSION = """#!/bin/sh
api=http://$AWS_LAMBDA_RUNTIME_API/2020-01-01/extension
head=$(mktemp)
curl -sS -o /dev/null -D $head -H "Lambda-Extension-Name: watcher" $api/register \\
  -d '{"events": ["INVOKE", "SHUTDOWN"]}'
id=$(grep -i Lambda-Extension-Identifier $head | tr -d '[:space:]' | cut -d: -f2)
while true; do
  event=$(curl -sS -H "Lambda-Extension-Identifier: $id" $api/event/next)
  echo "heard $event"
  case "$event" in *SHUTDOWN*) exit 0;; esac
done
"""


def test_a_shell_script_answers(play):
    async def scenario(stage):
        spec = stage.custom(SHELL % ANSWER)
        for number in range(2):
            outcome = await stage.invoke(spec, str(number).encode())
            assert isinstance(outcome, Succeeded), outcome
            assert json.loads(outcome.payload) == {"echo": number}
        assert stage.texts() == ["event 0", "event 1"]

    play(scenario)


def test_without_network_the_runtime_api_is_still_there(play):
    async def scenario(stage):
        outcome = await stage.invoke(stage.custom(SHELL % ANSWER, network=False), b"1")
        assert isinstance(outcome, Succeeded), outcome

    play(scenario)


def test_an_error_of_the_runtime_is_passed_on(play):
    async def scenario(stage):
        body = '{"errorType": "Mine", "errorMessage": "no"}'
        spec = stage.custom(SHELL % f"curl -sS -o /dev/null $api/invocation/$id/error -d '{body}'")
        outcome = await stage.invoke(spec)
        assert isinstance(outcome, Failed)
        assert (outcome.kind, outcome.error_type, outcome.error_message) == (
            "Unhandled", "Mine", "no",
        )  # fmt: skip
        assert outcome.payload == body.encode()

    play(scenario)


def test_an_error_of_initialisation_is_passed_on(play):
    async def scenario(stage):
        spec = stage.custom(
            "#!/bin/sh\ncurl -sS -o /dev/null "
            "-H 'Lambda-Runtime-Function-Error-Type: Runtime.Nope' "
            '-d \'{"errorMessage": "not today"}\' '
            "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/init/error\nexit 1\n"
        )
        outcome = await stage.invoke(spec)
        assert (outcome.error_type, outcome.error_message) == ("Runtime.Nope", "not today")

    play(scenario)


def test_another_events_id_is_refused(play):
    async def scenario(stage):
        spec = stage.custom(
            SHELL % ("curl -sS $api/invocation/other/response -d 1; echo; " + ANSWER)
        )
        assert isinstance(await stage.invoke(spec, b"1"), Succeeded)
        assert '"errorType": "InvalidRequestID"' in stage.texts()[1]

    play(scenario)


def test_a_response_in_pieces_is_streamed(play):
    from tests.sandbox.test_it_runs_nodejs import Sink

    class Asking(Sink):
        """Lets the function go on once it has its first piece."""

        async def write(self, chunk):
            await super().write(chunk)
            (spec.code / "more").touch()

    async def scenario(stage):
        nonlocal spec
        sink = Asking()
        send = (
            "(printf one; until [ -e more ]; do sleep 0.01; done; printf two) | "
            "curl -sS -o /dev/null -X POST -T - "
            "-H 'Lambda-Runtime-Function-Response-Mode: streaming' "
            "-H 'Content-Type: text/plain' $api/invocation/$id/response"
        )
        spec = stage.custom(SHELL % send, timeout_ms=30_000)
        outcome = await stage.invoke(spec, sink=sink)
        assert isinstance(outcome, Succeeded), outcome
        assert outcome.streamed
        assert sink.content_type == "text/plain"
        assert sink.chunks == [b"one", b"two"]

    spec = None
    play(scenario)


@pytest.mark.parametrize(
    ("bootstrap", "kind", "words"),
    [
        ("#!/bin/sh\nexit 7\n", "Runtime.ExitError", "exit status 7"),
        ("#!/bin/sh\nkill -SEGV $$\n", "Runtime.ExitError", "signal: segmentation fault"),
        ("#!/no/such/interpreter\n", "Runtime.ExitError", "exit status 127"),
    ],
)
def test_a_bootstrap_that_ends(play, bootstrap, kind, words):
    async def scenario(stage):
        outcome = await stage.invoke(stage.custom(bootstrap))
        assert outcome.kind == kind
        assert outcome.error_message.endswith(words)

    play(scenario)


def test_a_package_without_bootstrap(play):
    async def scenario(stage):
        spec = stage.custom("")
        (spec.code / "bootstrap").unlink()
        outcome = await stage.invoke(spec, request_id="id-6")
        assert json.loads(outcome.payload) == {
            "errorType": "Runtime.InvalidEntrypoint",
            "errorMessage": "RequestId: id-6 Error: Couldn't find valid bootstrap(s): "
            "[/var/task/bootstrap /opt/bootstrap]",
        }

    play(scenario)


@pytest.mark.parametrize("family", ["custom", "python"])
def test_an_extension_hears_of_events_and_of_the_end(play, family):
    async def scenario(stage):
        layer = stage.package(extensions__watcher=EXTENSION)
        if family == "custom":
            spec = stage.custom(SHELL % ANSWER, layers=(layer,))
        else:
            spec = stage.python("def handler(event, context): return event", layers=(layer,))
        outcome = await stage.invoke(spec, b"5", request_id="id-7", function_arn="arn:f")
        assert isinstance(outcome, Succeeded), outcome
        heard = [json.loads(text[6:]) for text in stage.texts() if text.startswith("heard")]
        assert heard[0]["eventType"] == "INVOKE"
        assert (heard[0]["requestId"], heard[0]["invokedFunctionArn"]) == ("id-7", "arn:f")
        await stage.sandbox.stop()
        heard = [json.loads(text[6:]) for text in stage.texts() if text.startswith("heard")]
        assert heard[-1]["eventType"] == "SHUTDOWN"
        assert heard[-1]["shutdownReason"] == "spindown"

    play(scenario)


def test_an_extension_that_ends_takes_the_environment_with_it(play):
    async def scenario(stage):
        layer = stage.package(extensions__broken="#!/bin/sh\nexit 4\n")
        spec = stage.python("def handler(event, context): return 1", layers=(layer,))
        outcome = await stage.invoke(spec)
        assert outcome.kind == "Extension.Crash"

    play(scenario)


def test_a_stranger_cannot_play_the_runtime(play):
    """A process outside the environment connects to its port: it is hung up on."""

    async def scenario(stage):
        import asyncio
        import contextlib

        spec = stage.custom(SHELL % ANSWER.replace("$event", '\\"$AWS_LAMBDA_RUNTIME_API\\"'))
        outcome = await stage.invoke(spec)
        host, port = json.loads(outcome.payload)["echo"].split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        assert isinstance(await stage.invoke(spec), Succeeded)

    play(scenario)
