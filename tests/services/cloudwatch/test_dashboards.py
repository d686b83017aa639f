"""Dashboards: kept as they are put, if their bodies are ones.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Cloud
from tests.services.cloudwatch.conftest import refused, unique

DELAY = {"Delay": 0.2, "MaxAttempts": 300}
WIDGET = {
    "type": "metric",
    "x": 0,
    "y": 0,
    "width": 12,
    "height": 6,
    "properties": {
        "metrics": [
            ["AWS/Lambda", "Errors", "FunctionName", "f", {"stat": "Sum", "id": "m1"}],
            [{"expression": "m1 * 2"}],
        ],
        "region": "us-east-1",
    },
}


@pytest.fixture
def cloudwatch(cloud: Cloud) -> Any:
    return cloud.client("cloudwatch")


def body(*widgets: Any) -> str:
    return json.dumps({"widgets": list(widgets)})


def test_a_dashboard_is_told_listed_and_deleted(cloud: Cloud, cloudwatch: Any) -> None:
    name = unique("board")
    text = body(WIDGET, {"type": "text", "properties": {"markdown": "# words"}})
    answer = cloudwatch.put_dashboard(DashboardName=name, DashboardBody=text)
    assert answer["DashboardValidationMessages"] == []
    found = cloudwatch.get_dashboard(DashboardName=name)
    arn = f"arn:aws:cloudwatch::000000000000:dashboard/{name}"
    assert (found["DashboardBody"], found["DashboardArn"]) == (text, arn)
    elsewhere = cloud.client("cloudwatch", region="eu-west-1")
    (entry,) = elsewhere.list_dashboards(DashboardNamePrefix=name)["DashboardEntries"]
    assert (entry["DashboardName"], entry["Size"]) == (name, len(text))
    gone = unique("gone")
    code, _ = refused(cloudwatch.delete_dashboards, DashboardNames=[name, gone])
    assert code == "ResourceNotFound"
    cloudwatch.delete_dashboards(DashboardNames=[name])
    code, words = refused(cloudwatch.get_dashboard, DashboardName=name)
    assert (code, words) == ("ResourceNotFound", f"Dashboard {name} does not exist")


def test_what_is_odd_is_told_and_kept(cloudwatch: Any) -> None:
    widget = {**WIDGET, "properties": {"metrics": [["App", "m"]]}}
    answer = cloudwatch.put_dashboard(DashboardName=unique("odd"), DashboardBody=body(widget))
    assert answer["DashboardValidationMessages"] == [
        {
            "DataPath": "/widgets/0/properties",
            "Message": "Should have required property 'region'",
        }
    ]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("{", ""),
        ("[]", ""),
        ("{}", ""),
        ('{"widgets": {}}', "/widgets"),
        (body(1), "/widgets/0"),
        (body({"properties": {}}), "/widgets/0"),
        (body({**WIDGET, "type": "film"}), "/widgets/0/type"),
        (body({**WIDGET, "width": 25}), "/widgets/0/width"),
        (body({**WIDGET, "x": "left"}), "/widgets/0/x"),
        (body({"type": "text"}), "/widgets/0"),
        (body({"type": "text", "properties": {}}), "/widgets/0/properties"),
        (body({"type": "metric", "properties": {"metrics": [["one"]]}}),
         "/widgets/0/properties/metrics/0"),
    ],
)  # fmt: skip
def test_a_body_that_is_none_is_refused(cloudwatch: Any, text: str, path: str) -> None:
    name = unique("bad")
    with pytest.raises(ClientError) as caught:
        cloudwatch.put_dashboard(DashboardName=name, DashboardBody=text)
    answer = caught.value.response
    assert answer["Error"]["Code"] == "InvalidParameterInput"
    assert path in {one["DataPath"] for one in answer["dashboardValidationMessages"]}
    assert refused(cloudwatch.get_dashboard, DashboardName=name)[0] == "ResourceNotFound"


def test_a_name_has_no_odd_letters(cloudwatch: Any) -> None:
    code, _ = refused(cloudwatch.put_dashboard, DashboardName="a b", DashboardBody=body())
    assert code == "InvalidParameterValue"
    assert refused(cloudwatch.list_dashboards, NextToken="x")[0] == "InvalidParameterValue"


def test_a_stack_makes_changes_and_deletes_a_dashboard(cloud: Cloud, cloudwatch: Any) -> None:
    client, name = cloud.client("cloudformation"), unique("stack")

    def template(text: str) -> str:
        made = {"DashboardName": name, "DashboardBody": text}
        board = {"Type": "AWS::CloudWatch::Dashboard", "Properties": made}
        query = {
            "Type": "AWS::Logs::QueryDefinition",
            "Properties": {"Name": name, "QueryString": "limit 1"},
        }
        return json.dumps({"Resources": {"Board": board, "Query": query}})

    client.create_stack(StackName=name, TemplateBody=template(body(WIDGET)))
    client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=DELAY)
    client.update_stack(StackName=name, TemplateBody=template(body()))
    client.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig=DELAY)
    found = cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"]
    assert json.loads(found) == {"widgets": []}
    logs = cloud.client("logs")
    kept = logs.describe_query_definitions(queryDefinitionNamePrefix=name)["queryDefinitions"]
    assert [one["queryString"] for one in kept] == ["limit 1"]
    client.delete_stack(StackName=name)
    client.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=DELAY)
    assert refused(cloudwatch.get_dashboard, DashboardName=name)[0] == "ResourceNotFound"
    assert not logs.describe_query_definitions(queryDefinitionNamePrefix=name)["queryDefinitions"]
