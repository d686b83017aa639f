"""Invoke. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.services.lambda_.conftest import pack, payload_of, tail_of


def test_a_function_answers_what_its_handler_returns(lam: Any, make: Any) -> None:
    answer = lam.invoke(FunctionName=make(), Payload=b'{"a": [1, "\xc3\xa9"]}')
    assert answer["StatusCode"] == 200
    assert answer["ExecutedVersion"] == "$LATEST"
    assert "FunctionError" not in answer
    assert payload_of(answer) == {"a": [1, "é"]}


def test_without_a_payload_the_event_is_an_empty_object(lam: Any, make: Any) -> None:
    assert payload_of(lam.invoke(FunctionName=make())) == {}


def test_a_warm_environment_is_used_again(lam: Any, make: Any) -> None:
    name = make("n = 0\ndef handler(event, context):\n    global n\n    n += 1\n    return n\n")
    assert [payload_of(lam.invoke(FunctionName=name)) for _ in range(3)] == [1, 2, 3]


def test_the_context_names_the_function_and_the_request(lam: Any, make: Any) -> None:
    name = make(
        "def handler(event, context):\n"
        "    return [context.function_name, context.function_version, context.aws_request_id,\n"
        "            context.invoked_function_arn, context.memory_limit_in_mb,\n"
        "            context.log_group_name, context.log_stream_name,\n"
        "            context.get_remaining_time_in_millis()]\n",
        Timeout=30,
        MemorySize=256,
    )
    answer = lam.invoke(FunctionName=name)
    got = payload_of(answer)
    arn = lam.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    assert got[:2] == [name, "$LATEST"]
    assert got[2] == answer["ResponseMetadata"]["RequestId"]
    assert got[3] == arn
    assert str(got[4]) == "256"
    assert got[5] == f"/aws/lambda/{name}"
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", got[6])
    assert 25_000 < got[7] <= 30_000


def test_an_exception_is_a_function_error_with_its_type_and_trace(lam: Any, make: Any) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
    name = make("def handler(event, context):\n    raise ValueError('no good')\n")
    answer = lam.invoke(FunctionName=name)
    assert answer["StatusCode"] == 200
    assert answer["FunctionError"] == "Unhandled"
    error = payload_of(answer)
    assert error["errorType"] == "ValueError"
    assert error["errorMessage"] == "no good"
    assert "index.py" in "".join(error["stackTrace"])


def test_a_timeout_is_reported_and_the_next_call_works(lam: Any, make: Any) -> None:
    name = make(
        "import time\n"
        "def handler(event, context):\n"
        "    if event.get('hang'):\n"
        "        time.sleep(60)\n"
        "    return 'fine'\n",
        Timeout=1,
    )
    answer = lam.invoke(FunctionName=name, Payload=b'{"hang": true}', LogType="Tail")
    assert answer["FunctionError"] == "Unhandled"
    error = payload_of(answer)
    assert error["errorType"] == "Sandbox.Timedout"
    assert error["errorMessage"].endswith("Task timed out after 1.00 seconds")
    tail = tail_of(answer)
    assert "Task timed out after 1.00 seconds" in tail
    assert "\tStatus: timeout" in tail
    assert payload_of(lam.invoke(FunctionName=name)) == "fine"


def test_a_handler_that_is_not_there_is_a_function_error(lam: Any, make: Any) -> None:
    answer = lam.invoke(FunctionName=make(Handler="nothere.handler"))
    assert answer["FunctionError"] == "Unhandled"
    assert payload_of(answer)["errorType"] == "Runtime.ImportModuleError"


def test_the_log_tail_has_start_output_end_and_report(lam: Any, make: Any) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
    name = make("def handler(event, context):\n    print('said by the function')\n")
    answer = lam.invoke(FunctionName=name, LogType="Tail")
    request_id = answer["ResponseMetadata"]["RequestId"]
    lines = tail_of(answer).splitlines()
    assert re.match(
        r"INIT_START Runtime Version: python:3\.11\.\S+\tRuntime Version ARN: ", lines[0]
    )
    assert lines[1:4] == [
        f"START RequestId: {request_id} Version: $LATEST",
        "said by the function",
        f"END RequestId: {request_id}",
    ]
    assert re.match(
        rf"REPORT RequestId: {request_id}\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\t"
        r"Memory Size: 128 MB\tMax Memory Used: \d+ MB\tInit Duration: \d+\.\d\d ms",
        lines[4],
    )
    again = tail_of(lam.invoke(FunctionName=name, LogType="Tail"))
    assert again.startswith("START RequestId: ")
    assert "Init Duration" not in again


def test_the_log_tail_is_the_last_four_kilobytes(lam: Any, make: Any) -> None:
    name = make(
        "def handler(event, context):\n    for n in range(2000):\n        print('line', n)\n"
    )
    answer = lam.invoke(FunctionName=name, LogType="Tail")
    assert len(base64.b64decode(answer["LogResult"])) == 4096
    assert "line 1999\n" in tail_of(answer)
    assert "line 0\n" not in tail_of(answer)


def test_a_traced_function_is_sampled_and_its_log_names_the_trace(lam: Any, make: Any) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
    text = "import os\ndef handler(event, context):\n    return os.environ['_X_AMZN_TRACE_ID']\n"
    answer = lam.invoke(FunctionName=make(text, TracingConfig={"Mode": "Active"}), LogType="Tail")
    fields = dict(part.split("=", 1) for part in payload_of(answer).split(";"))
    assert fields["Sampled"] == "1"
    line = f"XRAY TraceId: {fields['Root']}\tSegmentId: {fields['Parent']}\tSampled: true"
    assert line in tail_of(answer)
    untraced = lam.invoke(FunctionName=make(text), LogType="Tail")
    assert "Sampled=0" in payload_of(untraced)
    assert "XRAY" not in tail_of(untraced)


def test_without_asking_there_is_no_tail(lam: Any, make: Any) -> None:
    assert "LogResult" not in lam.invoke(FunctionName=make())


def test_a_dry_run_runs_nothing(lam: Any, make: Any) -> None:
    name = make("def handler(event, context):\n    raise SystemExit\n")
    assert lam.invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204


def test_a_payload_that_is_not_json_is_refused(lam: Any, make: Any) -> None:
    name = make()
    with pytest.raises(lam.exceptions.InvalidRequestContentException) as caught:
        lam.invoke(FunctionName=name, Payload=b"{not json")
    assert "Could not parse request body into json" in str(caught.value)


def test_six_megabytes_pass_and_more_is_refused(lam: Any, make: Any) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    name = make("def handler(event, context):\n    return len(event)\n")
    whole = b'"' + b"x" * (6_291_456 - 2) + b'"'
    assert payload_of(lam.invoke(FunctionName=name, Payload=whole)) == 6_291_454
    with pytest.raises(ClientError) as caught:
        lam.invoke(FunctionName=name, Payload=b'"' + b"x" * (6_291_456 - 1) + b'"')
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert caught.value.response["Error"]["Code"] == "RequestEntityTooLargeException"


def test_a_response_above_the_limit_is_a_function_error(lam: Any, make: Any) -> None:
    name = make("def handler(event, context):\n    return 'x' * 7_000_000\n")
    answer = lam.invoke(FunctionName=name)
    assert answer["FunctionError"] == "Unhandled"
    assert payload_of(answer)["errorType"] == "Function.ResponseSizeTooLarge"


def test_the_client_context_reaches_the_function(lam: Any, make: Any) -> None:
    name = make("def handler(event, context):\n    return context.client_context.custom\n")
    given = base64.b64encode(json.dumps({"custom": {"a": "b"}}).encode()).decode()
    assert payload_of(lam.invoke(FunctionName=name, ClientContext=given)) == {"a": "b"}


def test_a_client_context_that_is_not_json_is_refused(lam: Any, make: Any) -> None:
    name = make()
    with pytest.raises(lam.exceptions.InvalidRequestContentException):
        lam.invoke(FunctionName=name, ClientContext="!!!")


def test_an_unknown_function_version_or_alias_is_not_found(lam: Any, make: Any) -> None:
    name = make()
    for function, arn in (
        ("no-such-function", "no-such-function"),
        (f"{name}:7", f"{name}:7"),
        (f"{name}:gone", f"{name}:gone"),
    ):
        with pytest.raises(lam.exceptions.ResourceNotFoundException) as caught:
            lam.invoke(FunctionName=function)
        assert caught.value.response["Error"]["Message"].startswith(
            "Function not found: arn:aws:lambda:us-east-1:"
        )
        assert caught.value.response["Error"]["Message"].endswith(f":function:{arn}")


def test_a_function_is_named_in_four_ways(lam: Any, make: Any) -> None:
    name = make(Publish=True)
    arn = lam.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    account = arn.split(":")[4]
    for text in (name, f"{name}:1", f"{account}:function:{name}", arn, f"{arn}:1"):
        answer = lam.invoke(FunctionName=text)
        assert answer["ExecutedVersion"] == ("1" if text.endswith(":1") else "$LATEST")


def test_two_qualifiers_that_differ_are_refused(lam: Any, make: Any) -> None:
    name = make(Publish=True)
    with pytest.raises(lam.exceptions.InvalidParameterValueException) as caught:
        lam.invoke(FunctionName=f"{name}:1", Qualifier="$LATEST")
    assert "does not match the specified qualifier" in str(caught.value)


def test_a_function_calls_the_cloud_with_its_roles_credentials(
    lam: Any, make: Any, role: str
) -> None:
    name = make(
        "import boto3\n"
        "def handler(event, context):\n"
        "    return boto3.client('sts').get_caller_identity()['Arn']\n",
        Timeout=30,
    )
    arn = payload_of(lam.invoke(FunctionName=name))
    assert arn == f"{role.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/{name}"


def test_lambdas_variables_are_set_and_the_functions_own_too(lam: Any, make: Any) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    name = make(
        "import os\ndef handler(event, context):\n    return dict(os.environ)\n",
        Environment={"Variables": {"TABLE": "t1"}},
    )
    got = payload_of(lam.invoke(FunctionName=name))
    expected = {
        "TABLE": "t1",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
        "_HANDLER": "index.handler",
        "LAMBDA_TASK_ROOT": "/var/task",
        "TZ": ":UTC",
    }
    assert {key: got.get(key) for key in expected} == expected
    assert got["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")


def test_modules_of_the_package_can_be_imported(lam: Any, make: Any) -> None:
    code = pack("import other\ndef handler(event, context):\n    return other.N\n", other="N = 5\n")
    assert payload_of(lam.invoke(FunctionName=make(Code={"ZipFile": code}))) == 5


def test_invoke_async_is_refused(lam: Any, make: Any) -> None:
    name = make()
    with pytest.raises(ClientError) as caught:
        lam.invoke_async(FunctionName=name, InvokeArgs=b"{}")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
