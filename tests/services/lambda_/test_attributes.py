"""Tags, runtime management, recursion, and what is said to be absent."""

from __future__ import annotations

from typing import Any

import pytest
from tests.services.measured import await_figures


def arn_of(lam: Any, name: str) -> str:
    return str(lam.get_function(FunctionName=name)["Configuration"]["FunctionArn"])


def test_tags_are_set_replaced_and_removed(lam: Any, make: Any) -> None:
    name = make(Tags={"a": "1"})
    arn = arn_of(lam, name)
    lam.tag_resource(Resource=arn, Tags={"a": "2", "b": "3"})
    assert lam.list_tags(Resource=arn)["Tags"] == {"a": "2", "b": "3"}
    lam.untag_resource(Resource=arn, TagKeys=["a"])
    assert lam.list_tags(Resource=arn)["Tags"] == {"b": "3"}
    assert lam.get_function(FunctionName=name)["Tags"] == {"b": "3"}


def test_at_most_fifty_tags(lam: Any, make: Any) -> None:
    arn = arn_of(lam, make())
    with pytest.raises(lam.exceptions.InvalidParameterValueException):
        lam.tag_resource(Resource=arn, Tags={f"k{n}": "" for n in range(51)})
    assert lam.list_tags(Resource=arn)["Tags"] == {}


def test_runtime_updates_are_kept(lam: Any, make: Any) -> None:
    name = make()
    assert lam.get_runtime_management_config(FunctionName=name)["UpdateRuntimeOn"] == "Auto"
    lam.put_runtime_management_config(FunctionName=name, UpdateRuntimeOn="FunctionUpdate")
    got = lam.get_runtime_management_config(FunctionName=name)
    assert got["UpdateRuntimeOn"] == "FunctionUpdate"
    with pytest.raises(lam.exceptions.InvalidParameterValueException):
        lam.put_runtime_management_config(FunctionName=name, UpdateRuntimeOn="Manual")


def test_loops_are_ended_unless_allowed(cloud: Any, lam: Any, make: Any) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
    name = make(
        "import boto3, json\n"
        "def handler(event, context):\n"
        "    n = event['n'] + 1\n"
        "    if n == 20:\n"
        "        return n\n"
        "    answer = boto3.client('lambda').invoke(\n"
        "        FunctionName=context.function_name, Payload=json.dumps({'n': n}))\n"
        "    return json.load(answer['Payload'])\n",
        Timeout=60,
        MemorySize=256,
    )
    stopped = lam.invoke(FunctionName=name, Payload=b'{"n": 0}')
    assert b"RecursiveInvocationException" in stopped["Payload"].read()
    dropped = ("RecursiveInvocationsDropped", "Sum", (("FunctionName", name),))
    await_figures(cloud, "AWS/Lambda", {dropped: 1.0})
    assert lam.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Terminate"
    lam.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
    assert lam.invoke(FunctionName=name, Payload=b'{"n": 0}')["Payload"].read() == b"20"


def test_there_is_no_code_signing(lam: Any, make: Any) -> None:
    name = make()
    got = lam.get_function_code_signing_config(FunctionName=name)
    assert got["FunctionName"] == name
    assert "CodeSigningConfigArn" not in got
    assert lam.list_code_signing_configs()["CodeSigningConfigs"] == []
