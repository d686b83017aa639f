"""A handler's result comes back as JSON, and a warm environment is used again."""

import json

from cumulet.sandbox import Succeeded


def test_a_python_handler_returns_and_is_warm_the_second_time(play):
    async def scenario(stage):
        spec = stage.python(
            "count = 0\ndef handler(event, context):\n"
            "    global count; count += 1\n"
            "    return {'event': event, 'count': count}\n"
        )
        first = await stage.invoke(spec, b'{"a": 1}')
        second = await stage.invoke(spec, b'{"a": 2}')
        assert isinstance(first, Succeeded)
        assert json.loads(first.payload) == {"event": {"a": 1}, "count": 1}
        assert json.loads(second.payload) == {"event": {"a": 2}, "count": 2}
        assert first.usage.init_ms is not None
        assert second.usage.init_ms is None
        assert second.usage.billed_ms >= 1
        assert 0 < second.usage.max_memory_mb <= 256

    play(scenario)


def test_two_events_at_once_run_in_two_environments(play):
    """The second ends while the first goes on, so that it had an environment of its own."""

    async def scenario(stage):
        import asyncio

        spec = stage.python(
            "import time\ndef handler(event, context):\n    time.sleep(event)\n",
            timeout_ms=90_000,
        )
        first = asyncio.gather(stage.invoke(spec, b"60"))
        second = await stage.invoke(spec, b"0")
        assert isinstance(second, Succeeded)
        assert second.usage.init_ms is not None
        assert not first.done()
        first.cancel()
        await asyncio.wait([first])

    play(scenario)


def test_the_context_says_what_lambda_says(play):
    """https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""

    async def scenario(stage):
        spec = stage.python(
            "def handler(event, context):\n"
            "    return [context.aws_request_id, context.function_name, context.function_version,\n"
            "            context.memory_limit_in_mb, context.invoked_function_arn,\n"
            "            context.log_group_name, context.log_stream_name,\n"
            "            context.client_context.custom, context.identity.cognito_identity_id,\n"
            "            0 < context.get_remaining_time_in_millis() <= 3000]\n",
            env={"AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_LAMBDA_FUNCTION_VERSION": "7",
                 "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f",
                 "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[7]abc"},
        )  # fmt: skip
        outcome = await stage.invoke(
            spec, request_id="id-1", function_arn="arn:f:7",
            client_context='{"custom": {"k": "v"}}',
            cognito_identity='{"cognitoIdentityId": "me", "cognitoIdentityPoolId": "pool"}',
        )  # fmt: skip
        assert json.loads(outcome.payload) == [
            "id-1", "f", "7", "256", "arn:f:7", "/aws/lambda/f", "2026/01/01/[7]abc",
            {"k": "v"}, "me", True,
        ]  # fmt: skip

    play(scenario)


def test_the_paths_and_variables_are_lambdas(play):
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""

    async def scenario(stage):
        layer = stage.package(python__shared_py="name = 'layer'")
        spec = stage.python(
            "import os, sys, shared\nfrom inner.deep import where\n"
            "def handler(event, context):\n"
            "    return [os.getcwd(), os.environ['LAMBDA_TASK_ROOT'], os.environ['_HANDLER'],\n"
            "            os.environ['AWS_EXECUTION_ENV'], os.environ['TZ'], shared.name, where,\n"
            "            sys.path[0], shared.__file__, os.environ.get('HOME')]\n",
            layers=(layer,),
        )
        (spec.code / "inner").mkdir()
        (spec.code / "inner" / "deep.py").write_text("where = __file__")
        outcome = await stage.invoke(spec)
        assert json.loads(outcome.payload) == [
            "/var/task", "/var/task", "app.handler", "AWS_Lambda_python3.11", ":UTC", "layer",
            "/var/task/inner/deep.py", "/var/task", "/opt/python/shared.py", None,
        ]  # fmt: skip

    play(scenario)


def test_a_handler_may_live_in_a_folder_written_with_slashes(play):
    async def scenario(stage):
        spec = stage.python("", handler="pack/mod.sub.run")
        (spec.code / "pack" / "mod").mkdir(parents=True)
        (spec.code / "pack" / "mod" / "sub.py").write_text("def run(event, context): return 'here'")
        outcome = await stage.invoke(spec)
        assert outcome.payload == b'"here"'

    play(scenario)


def test_the_environment_may_be_made_at_the_cold_start_only(play):
    async def scenario(stage):
        made = []

        class Made:
            def __init__(self):
                made.append(self)
                self.env = {"COUNT": str(len(made))}
                self.lines = []
                self.line = self.lines.append

        async def place():
            return Made()

        spec = stage.python(
            "import os\nprint('begun')\n"
            "def handler(event, context):\n    print('at work')\n    return os.environ['COUNT']",
            place=place,
        )
        assert (await stage.invoke(spec)).payload == b'"1"'
        assert (await stage.invoke(spec)).payload == b'"1"'
        stage.sandbox.retire(spec.key)
        assert (await stage.invoke(spec)).payload == b'"2"'
        assert [[line.text for line in each.lines] for each in made] == [["begun"]] * 2
        assert stage.texts() == ["at work"] * 3

    play(scenario)
