"""Stacks make what looks at log groups.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Logs.html
"""

from __future__ import annotations

import json
import uuid

from tests.conftest import Cloud

DELAY = {"Delay": 0.2, "MaxAttempts": 300}


def template(pattern: str) -> str:
    return json.dumps(
        {
            "Resources": {
                "Group": {"Type": "AWS::Logs::LogGroup"},
                "Errors": {
                    "Type": "AWS::Logs::MetricFilter",
                    "Properties": {
                        "LogGroupName": {"Ref": "Group"},
                        "FilterPattern": pattern,
                        "MetricTransformations": [
                            {
                                "MetricName": "Took",
                                "MetricNamespace": "App",
                                "MetricValue": "$.took",
                                "Dimensions": [{"Key": "Path", "Value": "$.path"}],
                            }
                        ],
                    },
                },
            },
            "Outputs": {"Group": {"Value": {"Ref": "Group"}}},
        }
    )


def test_a_stack_makes_changes_and_deletes_a_metric_filter(cloud: Cloud) -> None:
    client, logs = cloud.client("cloudformation"), cloud.client("logs")
    name = f"logs-{uuid.uuid4().hex[:10]}"
    client.create_stack(StackName=name, TemplateBody=template("{ $.level = 1 }"))
    client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=DELAY)
    (output,) = client.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    group = output["OutputValue"]
    (made,) = logs.describe_metric_filters(logGroupName=group)["metricFilters"]
    assert made["metricTransformations"] == [
        {
            "metricName": "Took",
            "metricNamespace": "App",
            "metricValue": "$.took",
            "dimensions": {"Path": "$.path"},
        }
    ]
    client.update_stack(StackName=name, TemplateBody=template("{ $.level = 2 }"))
    client.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig=DELAY)
    (made,) = logs.describe_metric_filters(logGroupName=group)["metricFilters"]
    assert made["filterPattern"] == "{ $.level = 2 }"
    client.delete_stack(StackName=name)
    client.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=DELAY)
    assert not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
