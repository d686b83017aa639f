"""A function that takes too long is killed at its deadline, whatever it does about it."""

import json

import pytest

from cumulet.sandbox import Failed, Succeeded

STUBBORN = (
    "import signal, time, os\n"
    "for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):\n"
    "    signal.signal(number, signal.SIG_IGN)\n"
    "def handler(event, context):\n"
    "    print('begun')\n"
    "    while event: time.sleep(60)\n"
    "    return 'quick'\n"
)


@pytest.mark.parametrize("source", [STUBBORN, STUBBORN.replace("time.sleep(60)", "pass")])
def test_it_ignores_every_signal(play, source):
    """The words are those of Lambda's own log and answer for a timeout."""

    async def scenario(stage):
        spec = stage.python(source, timeout_ms=300)
        outcome = await stage.invoke(spec, b'{"a": 1}', request_id="id-3")
        assert isinstance(outcome, Failed)
        assert json.loads(outcome.payload) == {
            "errorType": "Sandbox.Timedout",
            "errorMessage": "RequestId: id-3 Error: Task timed out after 0.30 seconds",
        }
        assert 290 <= outcome.usage.duration_ms < 2000
        assert stage.texts()[0] == "begun"
        assert stage.texts()[-1].endswith("Z id-3 Task timed out after 0.30 seconds")
        assert isinstance(await stage.invoke(spec), Succeeded)

    play(scenario)


def test_slow_initialisation_is_given_the_functions_own_time_once_more(play):
    """https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib"""

    async def scenario(stage):
        spec = stage.python(
            "import time; time.sleep(60)\ndef handler(e, c): pass",
            init_timeout_ms=150,
            timeout_ms=200,
        )
        outcome = await stage.invoke(spec)
        assert outcome.kind == "Sandbox.Timedout"
        assert outcome.usage.init_ms >= 340

    play(scenario)


def test_a_caller_may_set_an_earlier_deadline(play):
    async def scenario(stage):
        import time

        spec = stage.python(STUBBORN, timeout_ms=60_000)
        soon = int(time.time() * 1000) + 1500
        outcome = await stage.invoke(spec, b'{"a": 1}', deadline_ms=soon)
        assert outcome.kind == "Sandbox.Timedout"
        assert outcome.usage.duration_ms < 10_000

    play(scenario)
