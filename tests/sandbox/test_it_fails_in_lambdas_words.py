"""Errors of a handler in the form that Lambda's Python runtime gives them.

https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
"""

import json

import pytest

from cumulet.sandbox import Failed


def test_an_exception_has_type_message_request_id_and_stack(play):
    async def scenario(stage):
        spec = stage.python(
            "def inner():\n    raise ValueError('no: ü')\n"
            "def handler(event, context):\n    inner()\n"
        )
        outcome = await stage.invoke(spec, request_id="id-9")
        assert isinstance(outcome, Failed)
        assert (outcome.kind, outcome.error_type) == ("Unhandled", "ValueError")
        assert json.loads(outcome.payload) == {
            "errorMessage": "no: ü",
            "errorType": "ValueError",
            "requestId": "id-9",
            "stackTrace": [
                '  File "/var/task/app.py", line 4, in handler\n    inner()\n',
                "  File \"/var/task/app.py\", line 2, in inner\n    raise ValueError('no: ü')\n",
            ],
        }
        assert stage.texts() == [
            "[ERROR] ValueError: no: ü\nTraceback (most recent call last):\n"
            '  File "/var/task/app.py", line 4, in handler\n    inner()\n'
            "  File \"/var/task/app.py\", line 2, in inner\n    raise ValueError('no: ü')"
        ]
        assert isinstance(await stage.invoke(spec), Failed)
        assert outcome.usage.init_ms is not None

    play(scenario)


@pytest.mark.parametrize(
    ("source", "handler", "error_type", "message"),
    [
        ("", "absent.handler", "Runtime.ImportModuleError",
         "Unable to import module 'absent': No module named 'absent'"),
        ("import nowhere", "app.handler", "Runtime.ImportModuleError",
         "Unable to import module 'app': No module named 'nowhere'"),
        ("", "app.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
        ("def x(:", "app.x", "Runtime.UserCodeSyntaxError",
         "Syntax error in module 'app': invalid syntax (app.py, line 1)"),
        ("", "handler", "Runtime.MalformedHandlerName",
         "Bad handler 'handler': not enough values to unpack (expected 2, got 1)"),
        ("1/0", "app.handler", "ZeroDivisionError", "division by zero"),
    ],
)  # fmt: skip
def test_a_handler_that_cannot_be_loaded(play, source, handler, error_type, message):
    async def scenario(stage):
        outcome = await stage.invoke(stage.python(source, handler=handler))
        assert isinstance(outcome, Failed)
        assert (outcome.error_type, outcome.error_message) == (error_type, message)

    play(scenario)


def test_a_result_that_is_not_json(play):
    async def scenario(stage):
        spec = stage.python("def handler(event, context): return {1, 2}")
        outcome = await stage.invoke(spec)
        assert outcome.error_type == "Runtime.MarshalError"
        assert outcome.error_message == (
            "Unable to marshal response: Object of type set is not JSON serializable"
        )

    play(scenario)


def test_an_event_that_is_not_json(play):
    async def scenario(stage):
        outcome = await stage.invoke(stage.python("def handler(event, context): return 1"), b"{")
        assert outcome.error_type == "Runtime.UnmarshalError"

    play(scenario)


def test_decimals_become_numbers(play):
    async def scenario(stage):
        spec = stage.python(
            "from decimal import Decimal\ndef handler(event, context): return {'n': Decimal('1.5')}"
        )
        assert (await stage.invoke(spec)).payload == b'{"n": 1.5}'

    play(scenario)


def test_an_unknown_runtime_is_refused_with_a_sentence(play):
    from cumulet.sandbox import RuntimeUnavailable

    async def scenario(stage):
        with pytest.raises(RuntimeUnavailable, match=r"cobol85 is not run here"):
            await stage.invoke(stage.python("", runtime="cobol85"))
        assert "cobol85" in stage.sandbox.warning("cobol85")

    play(scenario)
