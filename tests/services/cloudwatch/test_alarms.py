"""Alarms: put, described, changed and deleted; what is refused; what stacks make of them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.conftest import Cloud
from tests.services.cloudwatch.conftest import eventually, refused, unique

TOPIC = "arn:aws:sns:us-east-1:000000000000:nobody"
DELAY = {"Delay": 0.2, "MaxAttempts": 300}


@pytest.fixture
def cloudwatch(cloud: Cloud) -> Any:
    return cloud.client("cloudwatch")


def metric_alarm(name: str, **more: Any) -> dict[str, Any]:
    return {
        "AlarmName": name,
        "Namespace": name,
        "MetricName": "Errors",
        "Dimensions": [{"Name": "App", "Value": "a"}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanThreshold",
        **more,
    }


def described(cloudwatch: Any, name: str, kind: str = "MetricAlarm") -> dict[str, Any]:
    answer = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=[kind])
    found: list[dict[str, Any]] = answer[f"{kind}s"]
    return found[0]


def test_an_alarm_is_described_as_it_was_put(cloudwatch: Any) -> None:
    name = unique("put")
    put = metric_alarm(name, AlarmActions=[TOPIC], AlarmDescription="said", Unit="Count")
    cloudwatch.put_metric_alarm(**put)
    found = described(cloudwatch, name)
    assert {key: found[key] for key in put} == put
    assert found["AlarmArn"] == f"arn:aws:cloudwatch:us-east-1:000000000000:alarm:{name}"
    assert found["StateValue"] == "INSUFFICIENT_DATA"
    assert found["ActionsEnabled"] is True
    assert found["OKActions"] == found["InsufficientDataActions"] == []
    cloudwatch.put_metric_alarm(**{**put, "Threshold": 7.0})
    assert described(cloudwatch, name)["Threshold"] == 7.0
    of_metric = cloudwatch.describe_alarms_for_metric(
        MetricName="Errors", Namespace=name, Dimensions=put["Dimensions"]
    )
    assert [one["AlarmName"] for one in of_metric["MetricAlarms"]] == [name]
    assert not cloudwatch.describe_alarms_for_metric(
        MetricName="Errors", Namespace=name, Dimensions=put["Dimensions"], Statistic="Average"
    )["MetricAlarms"]
    assert not cloudwatch.describe_alarms_for_metric(MetricName="Errors", Namespace=name)[
        "MetricAlarms"
    ]


def test_alarms_are_listed_in_pages_by_prefix_state_and_action(cloudwatch: Any) -> None:
    prefix = unique("page")
    for number in range(5):
        more = {"OKActions": [TOPIC]} if number == 3 else {}
        cloudwatch.put_metric_alarm(**metric_alarm(f"{prefix}-{number}", **more))
    cloudwatch.set_alarm_state(AlarmName=f"{prefix}-1", StateValue="OK", StateReason="so")

    def names(**words: Any) -> list[str]:
        pages = cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmNamePrefix=prefix, PaginationConfig={"PageSize": 2}, **words
        )
        return [one["AlarmName"][-1] for page in pages for one in page["MetricAlarms"]]

    assert names() == ["0", "1", "2", "3", "4"]
    assert names(ActionPrefix="arn:aws:sns") == ["3"]
    assert names(StateValue="OK") == ["1"]
    assert names(AlarmTypes=["CompositeAlarm"]) == []


def test_actions_are_turned_off_and_on(cloudwatch: Any) -> None:
    name = unique("switch")
    cloudwatch.put_metric_alarm(**metric_alarm(name))
    cloudwatch.disable_alarm_actions(AlarmNames=[name])
    assert described(cloudwatch, name)["ActionsEnabled"] is False
    cloudwatch.enable_alarm_actions(AlarmNames=[name])
    assert described(cloudwatch, name)["ActionsEnabled"] is True


def test_tags_come_with_the_alarm_and_change(cloudwatch: Any) -> None:
    name = unique("tags")
    cloudwatch.put_metric_alarm(**metric_alarm(name, Tags=[{"Key": "a", "Value": "1"}]))
    arn = described(cloudwatch, name)["AlarmArn"]
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [
        {"Key": "b", "Value": "2"}
    ]
    code, _ = refused(cloudwatch.list_tags_for_resource, ResourceARN=f"{arn}-gone")
    assert code == "ResourceNotFoundException"


def test_history_tells_of_settings_and_states(cloudwatch: Any) -> None:
    name = unique("history")
    cloudwatch.put_metric_alarm(**metric_alarm(name))
    data = json.dumps({"why": "test"})
    cloudwatch.set_alarm_state(
        AlarmName=name, StateValue="ALARM", StateReason="by hand", StateReasonData=data
    )
    found = described(cloudwatch, name)
    assert (found["StateReason"], found["StateReasonData"]) == ("by hand", data)
    cloudwatch.delete_alarms(AlarmNames=[name])
    items = cloudwatch.describe_alarm_history(AlarmName=name, ScanBy="TimestampAscending")[
        "AlarmHistoryItems"
    ]
    assert [one["HistorySummary"] for one in items] == [
        f'Alarm "{name}" created',
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        f'Alarm "{name}" deleted',
    ]
    told = json.loads(items[1]["HistoryData"])
    assert told["newState"] == {
        "stateValue": "ALARM",
        "stateReason": "by hand",
        "stateReasonData": {"why": "test"},
    }
    states = cloudwatch.describe_alarm_history(
        AlarmName=name, HistoryItemType="StateUpdate", MaxRecords=1
    )
    assert len(states["AlarmHistoryItems"]) == 1


def test_a_composite_alarm_follows_its_children(cloudwatch: Any) -> None:
    one, two, whole = unique("one"), unique("two"), unique("whole")
    rule = f"ALARM({one}) AND NOT OK({two})"
    code, words = refused(cloudwatch.put_composite_alarm, AlarmName=whole, AlarmRule=rule)
    assert code == "ValidationError"
    assert words == (
        f"Could not save the composite alarm as alarms [{one}, {two}] in the alarm rule do not "
        "exist."
    )
    for name in (one, two):
        cloudwatch.put_metric_alarm(**metric_alarm(name))
    cloudwatch.put_composite_alarm(AlarmName=whole, AlarmRule=rule)
    wait_for(cloudwatch, whole, "OK")
    cloudwatch.set_alarm_state(AlarmName=one, StateValue="ALARM", StateReason="x")
    found = wait_for(cloudwatch, whole, "ALARM")
    arn = described(cloudwatch, one)["AlarmArn"]
    assert found["StateReason"].startswith(f"{arn} transitioned to ALARM at ")
    triggering = json.loads(found["StateReasonData"])["triggeringAlarms"]
    assert [child["arn"] for child in triggering] == [arn]
    children = cloudwatch.describe_alarms(ChildrenOfAlarmName=whole)["MetricAlarms"]
    assert {child["AlarmName"] for child in children} == {one, two}
    parents = cloudwatch.describe_alarms(ParentsOfAlarmName=one)["CompositeAlarms"]
    assert [parent["AlarmName"] for parent in parents] == [whole]
    code, words = refused(cloudwatch.delete_alarms, AlarmNames=[one])
    assert words == f"Cannot delete {one} as there are composite alarm(s) depending on it."
    cloudwatch.delete_alarms(AlarmNames=[whole])
    cloudwatch.delete_alarms(AlarmNames=[one, two])


def wait_for(cloudwatch: Any, name: str, state: str) -> dict[str, Any]:
    def there() -> dict[str, Any] | None:
        found = described(cloudwatch, name, "CompositeAlarm")
        return found if found["StateValue"] == state else None

    found: dict[str, Any] = eventually(there)
    return found


def test_a_ring_of_composite_alarms_is_refused(cloudwatch: Any) -> None:
    one, two = unique("ring"), unique("ring")
    cloudwatch.put_composite_alarm(AlarmName=one, AlarmRule="TRUE")
    cloudwatch.put_composite_alarm(AlarmName=two, AlarmRule=f"ALARM({one})")
    for rule in (f"ALARM({two})", f"ALARM({one})"):
        code, _ = refused(cloudwatch.put_composite_alarm, AlarmName=one, AlarmRule=rule)
        assert code == "ValidationError"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"TreatMissingData": "perhaps"}, "ValidationError"),
        ({"DatapointsToAlarm": 4}, "ValidationError"),
        ({"Period": 61}, "ValidationError"),
        ({"Period": 5}, "ValidationError"),
        ({"EvaluationPeriods": 1441, "DatapointsToAlarm": 1}, "ValidationError"),
        ({"Statistic": None}, "InvalidParameterCombination"),
        ({"ExtendedStatistic": "p99"}, "InvalidParameterCombination"),
        ({"Statistic": None, "ExtendedStatistic": "p101"}, "InvalidParameterValue"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "ValidationError"),
        ({"AlarmActions": ["arn:aws:automate:us-east-1:ec2:stop"]}, "ValidationError"),
        ({"AlarmActions": ["nonsense"]}, "ValidationError"),
        ({"EvaluateLowSampleCountPercentile": "ignore"}, "ValidationError"),
        ({"Metrics": [{"Id": "m", "Expression": "1"}]}, "InvalidParameterCombination"),
        ({"ThresholdMetricId": "m"}, "ValidationError"),
    ],
)
def test_settings_that_do_not_hold_are_refused(
    cloudwatch: Any, more: dict[str, Any], code: str
) -> None:
    words = {k: v for k, v in metric_alarm(unique("bad"), **more).items() if v is not None}
    assert refused(cloudwatch.put_metric_alarm, **words)[0] == code


def test_what_is_not_there_is_said_so(cloudwatch: Any) -> None:
    gone = unique("gone")
    assert refused(cloudwatch.delete_alarms, AlarmNames=[gone])[0] == "ResourceNotFound"
    assert refused(cloudwatch.enable_alarm_actions, AlarmNames=[gone])[0] == "ResourceNotFound"
    words = {"AlarmName": gone, "StateValue": "OK", "StateReason": ""}
    assert refused(cloudwatch.set_alarm_state, **words)[0] == "ResourceNotFound"
    code, _ = refused(cloudwatch.set_alarm_state, **words, StateReasonData="{")
    assert code == "InvalidFormat"
    assert refused(cloudwatch.describe_alarms, NextToken="x")[0] == "InvalidNextToken"
    assert refused(cloudwatch.describe_alarm_history, NextToken="x")[0] == "InvalidNextToken"


def test_math_over_metrics_is_told_and_can_be_alarmed_on(cloudwatch: Any) -> None:
    name = unique("math")
    now = int(described_time(cloudwatch, name))
    for metric, value in (("Errors", 3.0), ("Requests", 12.0)):
        cloudwatch.put_metric_data(
            Namespace=name,
            MetricData=[{"MetricName": metric, "Value": value, "Timestamp": now - 60}],
        )
    queries = [
        {
            "Id": key,
            "MetricStat": {
                "Metric": {"Namespace": name, "MetricName": metric},
                "Period": 60,
                "Stat": "Sum",
            },
            "ReturnData": False,
        }
        for key, metric in (("e", "Errors"), ("r", "Requests"))
    ]
    rate = {"Id": "rate", "Expression": "100 * e / r", "Label": "error rate"}
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[*queries, rate], StartTime=now - 600, EndTime=now + 60
    )
    (told,) = answer["MetricDataResults"]
    assert (told["Id"], told["Label"], told["Values"]) == ("rate", "error rate", [25.0])
    words = {
        "AlarmName": name,
        "EvaluationPeriods": 1,
        "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    cloudwatch.put_metric_alarm(Metrics=[*queries, rate], **words)
    assert described(cloudwatch, name)["Metrics"][2]["Expression"] == "100 * e / r"
    assert refused(cloudwatch.put_metric_alarm, Metrics=queries, **words)[0] == "ValidationError"
    broken = {"Id": "rate", "Expression": "100 * nobody"}
    code, said = refused(
        cloudwatch.get_metric_data,
        MetricDataQueries=[*queries, broken],
        StartTime=now - 600,
        EndTime=now,
    )
    assert (code, said) == (
        "ValidationError",
        "Error in expression 'rate': There is no query with the id 'nobody'.",
    )
    ring = [{"Id": "a", "Expression": "b + 1"}, {"Id": "b", "Expression": "a + 1"}]
    code, said = refused(
        cloudwatch.get_metric_data, MetricDataQueries=ring, StartTime=now - 600, EndTime=now
    )
    assert "refers to itself" in said


def described_time(cloudwatch: Any, name: str) -> float:
    """The cloud's own time, as an alarm of it shows."""
    cloudwatch.put_metric_alarm(**metric_alarm(f"{name}-clock"))
    at = described(cloudwatch, f"{name}-clock")["AlarmConfigurationUpdatedTimestamp"]
    return float(at.timestamp())


def test_a_policy_can_hold_a_caller_to_alarms_by_name(cloud: Cloud) -> None:
    iam, prefix = cloud.client("iam"), unique("own")
    user = unique("user")
    iam.create_user(UserName=user)
    statement = {
        "Effect": "Allow",
        "Action": ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"],
        "Resource": f"arn:aws:cloudwatch:*:*:alarm:{prefix}-*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    theirs = cloud.client("cloudwatch", key=(key["AccessKeyId"], key["SecretAccessKey"]))
    theirs.put_metric_alarm(**metric_alarm(f"{prefix}-1"))
    code, _ = refused(theirs.put_metric_alarm, **metric_alarm(unique("other")))
    assert code == "AccessDenied"
    code, _ = refused(theirs.describe_alarms)
    assert code == "AccessDenied"
    theirs.delete_alarms(AlarmNames=[f"{prefix}-1"])


def test_stacks_make_change_and_delete_alarms(cloud: Cloud, cloudwatch: Any) -> None:
    client, name = cloud.client("cloudformation"), unique("stack")

    def body(threshold: int, tag: str) -> str:
        props = {
            key: value for key, value in metric_alarm(name).items() if key not in ("AlarmName",)
        }
        rule = {"Fn::Sub": 'ALARM("${Errors}")'}
        return json.dumps(
            {
                "Resources": {
                    "Errors": {
                        "Type": "AWS::CloudWatch::Alarm",
                        "Properties": {
                            **props,
                            "Threshold": threshold,
                            "Tags": [{"Key": "t", "Value": tag}],
                        },
                    },
                    "Whole": {
                        "Type": "AWS::CloudWatch::CompositeAlarm",
                        "Properties": {"AlarmName": f"{name}-whole", "AlarmRule": rule},
                    },
                },
                "Outputs": {
                    "Name": {"Value": {"Ref": "Errors"}},
                    "Arn": {"Value": {"Fn::GetAtt": ["Errors", "Arn"]}},
                },
            }
        )

    client.create_stack(StackName=name, TemplateBody=body(5, "a"))
    client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=DELAY)
    outputs = client.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    told = {one["OutputKey"]: one["OutputValue"] for one in outputs}
    found = described(cloudwatch, told["Name"])
    assert (found["AlarmArn"], found["Threshold"]) == (told["Arn"], 5.0)
    assert described(cloudwatch, f"{name}-whole", "CompositeAlarm")
    client.update_stack(StackName=name, TemplateBody=body(9, "b"))
    client.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig=DELAY)
    assert described(cloudwatch, told["Name"])["Threshold"] == 9.0
    assert cloudwatch.list_tags_for_resource(ResourceARN=told["Arn"])["Tags"] == [
        {"Key": "t", "Value": "b"}
    ]
    client.delete_stack(StackName=name)
    client.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=DELAY)
    assert not cloudwatch.describe_alarms(AlarmNames=[told["Name"]])["MetricAlarms"]
