"""A function whose process ends is reported with how it ended, and replaced."""

import json

import pytest

from cumulet.sandbox import Failed, Succeeded

TWICE = (
    "def handler(event, context):\n"
    "    import os, signal, sys\n"
    "    if event.get('end'):\n"
    "        %s\n"
    "    return 'fine'\n"
)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("sys.exit(3)", "Runtime exited with error: exit status 3"),
        ("sys.exit('gone')", "Runtime exited with error: exit status 1"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "Runtime exited with error: signal: killed"),
        ("os.abort()", "Runtime exited with error: signal: aborted"),
        ("import ctypes; ctypes.string_at(0)",
         "Runtime exited with error: signal: segmentation fault"),
    ],
)  # fmt: skip
def test_it_ends_during_an_event(play, how, words):
    async def scenario(stage):
        spec = stage.python(TWICE % how)
        outcome = await stage.invoke(spec, b'{"end": 1}', request_id="id-2")
        assert isinstance(outcome, Failed)
        assert (outcome.kind, outcome.error_type) == ("Runtime.ExitError", "Runtime.ExitError")
        assert json.loads(outcome.payload) == {
            "errorType": "Runtime.ExitError",
            "errorMessage": f"RequestId: id-2 Error: {words}",
        }
        assert stage.texts()[-1] == f"RequestId: id-2 Error: {words}\nRuntime.ExitError"
        assert isinstance(await stage.invoke(spec), Succeeded)

    play(scenario)


def test_it_ends_during_initialisation(play):
    async def scenario(stage):
        outcome = await stage.invoke(stage.python("import sys; sys.exit(1)"))
        assert outcome.kind == "Runtime.ExitError"
        assert outcome.error_message.endswith("exit status 1")

    play(scenario)
