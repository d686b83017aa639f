"""Wait conditions, also across the death of the cloud."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from tests.services.cloudformation.waiting import outputs, reasons, wait


def put(url: str, answer: dict[str, Any]) -> int:
    request = urllib.request.Request(url, data=json.dumps(answer).encode(), method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=10) as found:
            return found.status
    except urllib.error.HTTPError as refused:
        return refused.code


def waiting(count: int = 2) -> str:
    return json.dumps(
        {
            "Resources": {
                "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
                "Wait": {
                    "Type": "AWS::CloudFormation::WaitCondition",
                    "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "60", "Count": count},
                },
            },
            "Outputs": {"Data": {"Value": {"Fn::GetAtt": ["Wait", "Data"]}}},
        }
    )


def handle_of(cfn: Any, name: str) -> str:
    """The address of the handle, once it is made."""
    for _ in range(200):
        shown = cfn.describe_stack_resources(StackName=name)["StackResources"]
        for one in shown:
            if one["LogicalResourceId"] == "Handle" and one.get("PhysicalResourceId"):
                return one["PhysicalResourceId"]
    raise AssertionError("no handle was made")


def signal(number: int, status: str = "SUCCESS") -> dict[str, Any]:
    return {"Status": status, "UniqueId": str(number), "Data": f"d{number}", "Reason": "r"}


def test_a_wait_condition_waits_for_its_signals(cloud):
    cfn = cloud.client("cloudformation")
    cfn.create_stack(StackName="waiting", TemplateBody=waiting())
    url = handle_of(cfn, "waiting")
    assert put(url, signal(1)) == 200
    assert put(url, signal(1)) == 200
    assert cfn.describe_stacks(StackName="waiting")["Stacks"][0]["StackStatus"].endswith("PROGRESS")
    assert put(url[:-4] + "0000", signal(2)) == 403
    assert put(url.replace("/signal/", "/response/"), signal(2)) == 403
    assert put(url, signal(2)) == 200
    stack = wait(cfn, "stack_create_complete", "waiting")
    assert json.loads(outputs(stack)["Data"]) == {"1": "d1", "2": "d2"}
    cfn.delete_stack(StackName="waiting")
    wait(cfn, "stack_delete_complete", stack["StackId"])
    assert put(url, signal(3)) == 403


def test_a_failure_signal_fails_the_stack(cloud):
    cfn = cloud.client("cloudformation")
    made = cfn.create_stack(StackName="signalled", TemplateBody=waiting(), OnFailure="DELETE")
    put(handle_of(cfn, "signalled"), signal(1, "FAILURE"))
    wait(cfn, "stack_delete_complete", made["StackId"])
    assert "WaitCondition received failed message: 'r'" in reasons(cfn, made["StackId"])


def test_a_deployment_survives_the_death_of_the_cloud(new_cloud):
    cloud = new_cloud("--port", "0")
    cfn = cloud.client("cloudformation")
    cfn.create_stack(StackName="survivor", TemplateBody=waiting(1))
    url = handle_of(cfn, "survivor")
    cloud.kill()
    cloud.start()
    cfn = cloud.client("cloudformation")
    path = url.split("/", 3)[3]
    assert put(f"{cloud.endpoint}/{path}", signal(1)) == 200
    stack = wait(cfn, "stack_create_complete", "survivor")
    assert json.loads(outputs(stack)["Data"]) == {"1": "d1"}
