"""Reserved concurrency. https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError


def test_a_reservation_is_shown_and_given_up(lam: Any, make: Any) -> None:
    name = make()
    assert "ReservedConcurrentExecutions" not in lam.get_function_concurrency(FunctionName=name)
    lam.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=5)
    assert lam.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 5
    shown = lam.get_function(FunctionName=name)["Concurrency"]
    assert shown == {"ReservedConcurrentExecutions": 5}
    lam.delete_function_concurrency(FunctionName=name)
    assert "Concurrency" not in lam.get_function(FunctionName=name)


def test_a_reservation_of_none_stops_the_function(lam: Any, make: Any) -> None:
    name = make()
    lam.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(lam.exceptions.TooManyRequestsException) as caught:
        lam.invoke(FunctionName=name)
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    lam.delete_function_concurrency(FunctionName=name)
    assert lam.invoke(FunctionName=name)["StatusCode"] == 200


def test_one_more_than_reserved_is_throttled(lam: Any, make: Any, cloud: Any) -> None:
    # The first invocation stays in its handler until this test lets it go through the bucket.
    s3 = cloud.client("s3")
    name = make(
        "import boto3, os, time\n"
        "def handler(event, context):\n"
        "    s3 = boto3.client('s3')\n"
        "    bucket = event.get('bucket')\n"
        "    if bucket:\n"
        "        s3.put_object(Bucket=bucket, Key='entered')\n"
        "        while 'Contents' not in s3.list_objects_v2(Bucket=bucket, Prefix='leave'):\n"
        "            time.sleep(0.02)\n"
        "    return 'done'\n",
        Timeout=60,
        MemorySize=256,
    )
    bucket = f"{name}-gate"
    s3.create_bucket(Bucket=bucket)
    lam.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(
            cloud.client("lambda").invoke,
            FunctionName=name,
            Payload=f'{{"bucket": "{bucket}"}}'.encode(),
        )
        s3.get_waiter("object_exists").wait(
            Bucket=bucket, Key="entered", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
        with pytest.raises(lam.exceptions.TooManyRequestsException):
            lam.invoke(FunctionName=name)
        s3.put_object(Bucket=bucket, Key="leave")
        assert held.result(30)["Payload"].read() == b'"done"'
    assert lam.invoke(FunctionName=name)["StatusCode"] == 200


def test_reservations_leave_a_hundred_for_the_others(lam: Any, make: Any) -> None:
    name = make()
    with pytest.raises(lam.exceptions.InvalidParameterValueException) as caught:
        lam.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=901)
    assert "below its minimum value of [100]" in str(caught.value)


def test_the_accounts_settings_count_reservations_and_code(lam: Any, make: Any) -> None:
    before = lam.get_account_settings()
    name = make()
    lam.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=10)
    after = lam.get_account_settings()
    limit = after["AccountLimit"]
    assert limit["ConcurrentExecutions"] == 1000
    assert limit["CodeSizeUnzipped"] == 262_144_000
    assert limit["UnreservedConcurrentExecutions"] <= 990
    assert after["AccountUsage"]["TotalCodeSize"] > 0
    assert after["AccountUsage"]["FunctionCount"] >= 1
    assert before["AccountLimit"]["TotalCodeSize"] == limit["TotalCodeSize"]


def test_provisioned_concurrency_is_refused_clearly(lam: Any, make: Any) -> None:
    name = make(Publish=True)
    with pytest.raises(ClientError) as caught:
        lam.put_provisioned_concurrency_config(
            FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1
        )
    assert "not supported by Cumulet" in str(caught.value)
    with pytest.raises(lam.exceptions.ProvisionedConcurrencyConfigNotFoundException):
        lam.get_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    lam.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    listed = lam.list_provisioned_concurrency_configs(FunctionName=name)
    assert listed["ProvisionedConcurrencyConfigs"] == []
