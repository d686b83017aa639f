"""Results of an environment in Lambda's words."""

import json

import pytest

from cumulet.sandbox import Failed, Succeeded, messages, verdicts
from cumulet.sandbox.environment import Answer, Refused, TimedOut
from cumulet.sandbox.process import Ended, ended_from_wait

USAGE = verdicts.measure(1.2, None, 40)


def judge(result):
    return verdicts.judge(result, "id", 3000, USAGE)


def test_time_is_billed_in_whole_milliseconds_with_initialisation():
    """https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/"""
    assert verdicts.measure(1.2, None, 1).billed_ms == 2
    assert verdicts.measure(1.2, 100.5, 1).billed_ms == 102
    assert verdicts.measure(0.0, None, 1).billed_ms == 1


def test_an_answer_succeeds():
    assert judge(Answer(messages.RESPONSE, b"1")) == Succeeded(b"1", USAGE)


@pytest.mark.parametrize(
    ("result", "kind", "words"),
    [
        (TimedOut(), "Sandbox.Timedout", "Task timed out after 3.00 seconds"),
        (Ended(exit_code=1), "Runtime.ExitError", "Runtime exited with error: exit status 1"),
        (Ended(exit_code=0), "Runtime.ExitError", "Runtime exited without providing a reason"),
        (Ended(signal_number=9), "Runtime.ExitError", "Runtime exited with error: signal: killed"),
        (Ended(signal_number=9, out_of_memory=True), "Runtime.OutOfMemory",
         "Runtime exited with error: signal: killed"),
        (Ended(signal_number=64), "Runtime.ExitError", "Runtime exited with error: signal: 64"),
        (Ended(exit_code=2, extension=True), "Extension.Crash",
         "Extension exited with error: exit status 2"),
        (Refused("Runtime.InvalidEntrypoint", "nothing"), "Runtime.InvalidEntrypoint", "nothing"),
    ],
)  # fmt: skip
def test_what_the_platform_says(result, kind, words):
    outcome = judge(result)
    assert isinstance(outcome, Failed)
    assert outcome.kind == outcome.error_type == kind
    assert json.loads(outcome.payload) == {
        "errorType": kind,
        "errorMessage": f"RequestId: id Error: {words}",
    }


def test_a_functions_own_document_is_passed_on_as_it_is():
    body = b'{"errorType":"T","errorMessage":"m","more":[1]}'
    outcome = judge(Answer(messages.ERROR, body))
    assert (outcome.kind, outcome.error_type, outcome.error_message, outcome.payload) == (
        "Unhandled", "T", "m", body,
    )  # fmt: skip


@pytest.mark.parametrize("body", [b"", b"not json", b"[1]", b'"text"', b'{"errorType": null}'])
def test_any_document_of_a_runtime_is_survived(body):
    outcome = judge(Answer(messages.ERROR, body, "Named"))
    assert outcome.error_type == "Named"
    assert outcome.payload == body


def test_the_log_line_of_a_timeout():
    words = verdicts.log_words(judge(TimedOut()), "id", 0.25)
    assert words == "1970-01-01T00:00:00.250Z id Task timed out after 3.00 seconds"


def test_a_functions_own_error_is_not_logged_twice():
    assert verdicts.log_words(judge(Answer(messages.ERROR, b"{}")), "id", 0) == ""


def test_wait_statuses():
    assert ended_from_wait(3 << 8) == Ended(exit_code=3)
    assert ended_from_wait(11) == Ended(signal_number=11)
