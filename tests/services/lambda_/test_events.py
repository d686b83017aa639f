"""Invoke with the type Event: queue, retries, age, destinations.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
The waits between attempts are minutes, so the platform runs in this process, on a clock that the
tests can put forward.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.services.lambda_.conftest import ALLOW_ALL, TRUST, pack
from tests.services.lambda_.inside import SCOPE, Inside, run_inside

from cumulet.core.errors import AwsError


@pytest.fixture
def inside(tmp_path: Path) -> Callable[[Callable[[Inside], Awaitable[None]]], None]:
    """Runs a test's coroutine within a platform of its own."""

    def run(story: Callable[[Inside], Awaitable[None]]) -> None:
        run_inside(tmp_path / "data", story)

    return run


FAILS = "def handler(event, context):\n    raise ValueError('as asked')\n"
WORKS = "def handler(event, context):\n    return {'echo': event}\n"


def test_an_event_is_accepted_and_carried_out(inside: Any) -> None:
    async def story(here: Inside) -> None:
        name = await here.function(WORKS)
        await here.call(
            "lambda",
            "PutFunctionEventInvokeConfig",
            FunctionName=name,
            DestinationConfig={"OnFailure": {"Destination": f"arn:aws:s3:::{here.bucket}"}},
        )
        assert (await here.send(name, fails=False))["StatusCode"] == 202
        assert len(await here.events()) == 1
        assert await here.step() == []
        assert await here.keys("aws/lambda/async/") == []

    inside(story)


def test_a_failing_event_is_tried_three_times_a_minute_and_two_apart(inside: Any) -> None:
    async def story(here: Inside) -> None:
        name = await here.function(FAILS)
        target = f"arn:aws:s3:::{here.bucket}"
        await here.call(
            "lambda",
            "PutFunctionEventInvokeConfig",
            FunctionName=name,
            DestinationConfig={"OnFailure": {"Destination": target}},
        )
        await here.send(name, fails=True)
        for attempts, wait in ((1, 60), (2, 120)):
            (event,) = await here.step()
            assert event.attempts == attempts
            assert wait - 10 < event.due - here.clock.now() <= wait
            assert await here.step() == [event], "it must not be tried before its time"
            here.clock.ahead += wait
        assert await here.step() == []
        (key,) = await here.keys(f"aws/lambda/async/{name}/")
        record = await here.read(key)
        assert record["requestContext"]["condition"] == "RetriesExhausted"
        assert record["requestContext"]["approximateInvokeCount"] == 3
        assert record["requestContext"]["functionArn"].endswith(f":function:{name}:$LATEST")
        assert record["requestPayload"] == {"bucket": here.bucket, "fails": True}
        assert record["responseContext"]["functionError"] == "Unhandled"
        assert record["responsePayload"]["errorType"] == "ValueError"

    inside(story)


def test_no_retries_means_one_attempt(inside: Any) -> None:
    async def story(here: Inside) -> None:
        name = await here.function(FAILS)
        await here.call(
            "lambda", "PutFunctionEventInvokeConfig", FunctionName=name, MaximumRetryAttempts=0
        )
        await here.send(name, fails=True)
        assert await here.step() == []

    inside(story)


def test_a_throttled_event_waits_without_counting_and_grows_too_old(inside: Any) -> None:
    async def story(here: Inside) -> None:
        name = await here.function(WORKS)
        await here.call(
            "lambda",
            "PutFunctionEventInvokeConfig",
            FunctionName=name,
            MaximumEventAgeInSeconds=60,
            DestinationConfig={"OnFailure": {"Destination": f"arn:aws:s3:::{here.bucket}"}},
        )
        await here.call(
            "lambda",
            "PutFunctionConcurrency",
            FunctionName=name,
            ReservedConcurrentExecutions=0,
        )
        await here.send(name, fails=False)
        (event,) = await here.step()
        assert (event.attempts, event.throttles) == (0, 1)
        here.clock.ahead += 61
        assert await here.step() == []
        (key,) = await here.keys(f"aws/lambda/async/{name}/")
        record = await here.read(key)
        assert record["requestContext"]["condition"] == "EventAgeExceeded"

    inside(story)


def test_a_success_goes_to_another_function(inside: Any) -> None:
    async def story(here: Inside) -> None:
        last = await here.function(FAILS)
        await here.call(
            "lambda",
            "PutFunctionEventInvokeConfig",
            FunctionName=last,
            MaximumRetryAttempts=0,
            DestinationConfig={"OnFailure": {"Destination": f"arn:aws:s3:::{here.bucket}"}},
        )
        first = await here.function(WORKS)
        arn = SCOPE.arn("lambda", f"function:{last}")
        await here.call(
            "lambda",
            "PutFunctionEventInvokeConfig",
            FunctionName=first,
            DestinationConfig={"OnSuccess": {"Destination": arn}},
        )
        await here.send(first, fails=False)
        (passed_on,) = await here.step()
        assert passed_on.function == last
        assert await here.step() == []
        (key,) = await here.keys(f"aws/lambda/async/{last}/")
        received = (await here.read(key))["requestPayload"]
        assert received["requestContext"]["condition"] == "Success"
        assert received["responsePayload"] == {"echo": {"bucket": here.bucket, "fails": False}}

    inside(story)


def test_events_of_a_deleted_function_go_with_it(inside: Any) -> None:
    async def story(here: Inside) -> None:
        name = await here.function(WORKS)
        await here.send(name, fails=False)
        await here.call("lambda", "DeleteFunction", FunctionName=name)
        assert await here.step() == []

    inside(story)


def test_a_large_event_is_kept_whole(inside: Any) -> None:
    async def story(here: Inside) -> None:
        name = await here.function(
            "def handler(event, context):\n    raise ValueError(len(event))\n"
        )
        await here.call(
            "lambda",
            "PutFunctionEventInvokeConfig",
            FunctionName=name,
            MaximumRetryAttempts=0,
            DestinationConfig={"OnFailure": {"Destination": f"arn:aws:s3:::{here.bucket}"}},
        )
        payload = b'"' + b"x" * (1_048_576 - 2) + b'"'
        await here.call(
            "lambda", "Invoke", FunctionName=name, InvocationType="Event", Payload=payload
        )
        assert await here.step() == []
        (key,) = await here.keys(f"aws/lambda/async/{name}/")
        assert (await here.read(key))["responsePayload"]["errorMessage"] == "1048574"

    inside(story)


def test_destinations_that_cannot_be_are_refused(inside: Any) -> None:
    async def story(here: Inside) -> None:
        name = await here.function(WORKS)
        for target, said in (
            ("arn:aws:sns:us-east-1:000000000000:topic", "Topic does not exist"),
            ("arn:aws:events:us-east-1:000000000000:event-bus/b", "Event bus b does not exist"),
            ("arn:aws:s3:::no-such-bucket-here", "is invalid"),
            (SCOPE.arn("lambda", "function:no-such-function"), "is invalid"),
            (SCOPE.arn("dynamodb", "table/t"), "is invalid"),
        ):
            with pytest.raises(AwsError, match=said) as caught:
                await here.call(
                    "lambda",
                    "PutFunctionEventInvokeConfig",
                    FunctionName=name,
                    DestinationConfig={"OnFailure": {"Destination": target}},
                )
            assert caught.value.code == "InvalidParameterValueException"

    inside(story)


def test_the_rules_are_set_changed_listed_and_removed(lam: Any, make: Any) -> None:
    name = make(Publish=True)
    made = lam.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=1, MaximumEventAgeInSeconds=90
    )
    assert made["FunctionArn"].endswith(f":function:{name}:$LATEST")
    lam.update_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    got = lam.get_function_event_invoke_config(FunctionName=name)
    assert (got["MaximumRetryAttempts"], got["MaximumEventAgeInSeconds"]) == (0, 90)
    lam.put_function_event_invoke_config(FunctionName=name, Qualifier="1", MaximumRetryAttempts=2)
    listed = lam.list_function_event_invoke_configs(FunctionName=name)
    arns = [each["FunctionArn"] for each in listed["FunctionEventInvokeConfigs"]]
    assert [arn.rpartition(":")[2] for arn in arns] == ["$LATEST", "1"]
    lam.delete_function_event_invoke_config(FunctionName=name)
    with pytest.raises(lam.exceptions.ResourceNotFoundException) as caught:
        lam.get_function_event_invoke_config(FunctionName=name)
    assert "doesn't have an EventInvokeConfig" in str(caught.value)


def test_an_event_above_a_megabyte_is_refused(lam: Any, make: Any) -> None:
    name = make()
    with pytest.raises(ClientError) as caught:
        lam.invoke(
            FunctionName=name, InvocationType="Event", Payload=b'"' + b"x" * 1_048_576 + b'"'
        )
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert "1048578 byte payload is too large for the Event invocation type" in str(caught.value)


def test_an_accepted_event_survives_a_kill(new_cloud: Any) -> None:
    cloud = new_cloud()
    iam, lam, s3 = cloud.client("iam"), cloud.client("lambda"), cloud.client("s3")
    arn = iam.create_role(RoleName="r-1", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName="r-1", PolicyName="a", PolicyDocument=json.dumps(ALLOW_ALL))
    s3.create_bucket(Bucket="seen")
    lam.create_function(
        FunctionName="survivor",
        Role=arn,
        Runtime="python3.11",
        Handler="index.handler",
        Timeout=30,
        MemorySize=256,
        Code={
            "ZipFile": pack(
                "import boto3\n"
                "def handler(event, context):\n"
                "    boto3.client('s3').put_object(Bucket='seen', Key=event)\n"
            )
        },
    )
    lam.put_function_concurrency(FunctionName="survivor", ReservedConcurrentExecutions=0)
    lam.invoke(FunctionName="survivor", InvocationType="Event", Payload=b'"after-the-kill"')
    cloud.kill()
    cloud.start()
    cloud.client("lambda").delete_function_concurrency(FunctionName="survivor")
    cloud.client("s3").get_waiter("object_exists").wait(
        Bucket="seen", Key="after-the-kill", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
