"""Topics, buses, rules and schedules in stacks, and functions with events as SAM writes them.

https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-eventsource.html
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.services.events.conftest import Stand, opened, trust, unique

DELAY = {"Delay": 0.2, "MaxAttempts": 600}
Bring = Callable[..., dict[str, str]]


@pytest.fixture
def stack(cloud: Any) -> Iterator[Bring]:
    """Brings a stack to a template; answers its outputs."""
    client = cloud.client("cloudformation")
    name = unique("events")
    seen: list[str] = []

    def bring(body: dict[str, Any]) -> dict[str, str]:
        request = {
            "StackName": name,
            "TemplateBody": json.dumps(body),
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        }
        if seen:
            client.update_stack(**request)
            waiter = "stack_update_complete"
        else:
            seen.append(client.create_stack(**request)["StackId"])
            waiter = "stack_create_complete"
        try:
            client.get_waiter(waiter).wait(StackName=name, WaiterConfig=DELAY)
        except Exception as error:
            events = client.describe_stack_events(StackName=name)["StackEvents"]
            reasons = [
                f"{one['LogicalResourceId']}: {one.get('ResourceStatusReason')}"
                for one in events
                if "FAILED" in one["ResourceStatus"]
            ]
            raise AssertionError(reasons) from error
        told = client.describe_stacks(StackName=name)["Stacks"][0].get("Outputs", [])
        return {one["OutputKey"]: one["OutputValue"] for one in told}

    yield bring
    client.delete_stack(StackName=name)
    client.get_waiter("stack_delete_complete").wait(StackName=seen[0], WaiterConfig=DELAY)


CODE = """
import boto3, json, os
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["OUT"], MessageBody=json.dumps(event))
"""
PATTERN = {"source": ["stacked"]}
SAM: dict[str, Any] = {
    "Transform": "AWS::Serverless-2016-10-31",
    "Resources": {
        "Out": {"Type": "AWS::SQS::Queue"},
        "In": {"Type": "AWS::SQS::Queue"},
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
            },
        },
        "Fn": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "Runtime": "python3.11",
                "Handler": "index.handler",
                "InlineCode": CODE,
                "Timeout": 20,
                "Environment": {"Variables": {"OUT": {"Ref": "Out"}}},
                "Policies": [
                    {"SQSSendMessagePolicy": {"QueueName": {"Fn::GetAtt": ["Out", "QueueName"]}}}
                ],
                "Events": {
                    "FromTopic": {
                        "Type": "SNS",
                        "Properties": {"Topic": {"Ref": "Topic"}, "FilterPolicy": {"k": ["v"]}},
                    },
                    "FromQueue": {
                        "Type": "SQS",
                        "Properties": {"Queue": {"Fn::GetAtt": ["In", "Arn"]}, "BatchSize": 1},
                    },
                    "FromTable": {
                        "Type": "DynamoDB",
                        "Properties": {
                            "Stream": {"Fn::GetAtt": ["Table", "StreamArn"]},
                            "StartingPosition": "TRIM_HORIZON",
                        },
                    },
                    "ByRule": {"Type": "EventBridgeRule", "Properties": {"Pattern": PATTERN}},
                    "Daily": {"Type": "Schedule", "Properties": {"Schedule": "rate(1 day)"}},
                    "AtOnce": {
                        "Type": "ScheduleV2",
                        "Properties": {
                            "ScheduleExpression": "rate(1 day)",
                            "Input": '{"scheduled": true}',
                        },
                    },
                },
            },
        },
    },
    "Outputs": {
        "Out": {"Value": {"Ref": "Out"}},
        "In": {"Value": {"Ref": "In"}},
        "Topic": {"Value": {"Ref": "Topic"}},
        "Table": {"Value": {"Ref": "Table"}},
    },
}


def kind_of(event: dict[str, Any]) -> str:
    if "Records" in event:
        [record] = event["Records"]
        return str(record.get("eventSource") or record.get("EventSource"))
    return "schedule" if event.get("scheduled") else str(event["source"])


def test_a_function_gets_events_of_every_kind_as_sam_deploys_them(
    stand: Stand, stack: Bring
) -> None:
    made = stack(SAM)
    stand.sqs.send_message(QueueUrl=made["In"], MessageBody="m")
    stand.cloud.client("dynamodb").put_item(TableName=made["Table"], Item={"id": {"S": "1"}})
    sns = stand.cloud.client("sns")
    sns.publish(TopicArn=made["Topic"], Message="filtered out")
    kept = {"k": {"DataType": "String", "StringValue": "v"}}
    sns.publish(TopicArn=made["Topic"], Message="kept", MessageAttributes=kept)
    stand.put(Source="stacked")
    kinds = {kind_of(event) for event in stand.bodies(made["Out"], 5)}
    assert kinds == {"aws:sqs", "aws:dynamodb", "aws:sns", "stacked", "schedule"}


NATIVE: dict[str, Any] = {
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "QueuePolicy": {
            "Type": "AWS::SQS::QueueInlinePolicy",
            "Properties": {
                "Queue": {"Ref": "Queue"},
                "PolicyDocument": json.loads(opened("events.amazonaws.com")),
            },
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": json.loads(trust("scheduler.amazonaws.com")),
                "Policies": [
                    {
                        "PolicyName": "send",
                        "PolicyDocument": {
                            "Version": "2012-10-17",
                            "Statement": {
                                "Effect": "Allow",
                                "Action": "sqs:SendMessage",
                                "Resource": {"Fn::GetAtt": ["Queue", "Arn"]},
                            },
                        },
                    }
                ],
            },
        },
        "Topic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {
                "FifoTopic": True,
                "ContentBasedDeduplication": True,
                "Tags": [{"Key": "a", "Value": "1"}],
            },
        },
        "TopicPolicy": {
            "Type": "AWS::SNS::TopicInlinePolicy",
            "Properties": {
                "TopicArn": {"Ref": "Topic"},
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": {
                        "Effect": "Allow",
                        "Principal": {"Service": "events.amazonaws.com"},
                        "Action": "sns:Publish",
                        "Resource": {"Ref": "Topic"},
                    },
                },
            },
        },
        "Plain": {
            "Type": "AWS::SNS::Topic",
            "Properties": {
                "DisplayName": "plain",
                "Subscription": [{"Protocol": "sqs", "Endpoint": {"Fn::GetAtt": ["Queue", "Arn"]}}],
            },
        },
        "Shared": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {
                "Topics": [{"Ref": "Plain"}],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": {
                        "Effect": "Allow",
                        "Principal": {"AWS": "111111111111"},
                        "Action": "sns:Subscribe",
                        "Resource": {"Ref": "Plain"},
                    },
                },
            },
        },
        "Subscription": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {
                "TopicArn": {"Ref": "Topic"},
                "Protocol": "sqs",
                "Endpoint": {"Fn::GetAtt": ["Queue", "Arn"]},
                "RawMessageDelivery": True,
            },
        },
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "named below"}},
        "BusPolicy": {
            "Type": "AWS::Events::EventBusPolicy",
            "Properties": {
                "EventBusName": {"Ref": "Bus"},
                "StatementId": "other",
                "Action": "events:PutEvents",
                "Principal": "111111111111",
            },
        },
        "Archive": {
            "Type": "AWS::Events::Archive",
            "Properties": {
                "SourceArn": {"Fn::GetAtt": ["Bus", "Arn"]},
                "EventPattern": PATTERN,
                "RetentionDays": 3,
            },
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventBusName": {"Ref": "Bus"},
                "EventPattern": PATTERN,
                "Targets": [
                    {
                        "Id": "q",
                        "Arn": {"Fn::GetAtt": ["Queue", "Arn"]},
                        "InputPath": "$.detail",
                    }
                ],
            },
        },
        "Group": {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {}},
        "Schedule": {
            "Type": "AWS::Scheduler::Schedule",
            "Properties": {
                "GroupName": {"Ref": "Group"},
                "ScheduleExpression": "cron(0 0 1 1 ? 2190)",
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "Target": {
                    "Arn": {"Fn::GetAtt": ["Queue", "Arn"]},
                    "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                },
            },
            "DependsOn": "QueuePolicy",
        },
    },
    "Outputs": {
        name: {"Value": value}
        for name, value in {
            "Queue": {"Ref": "Queue"},
            "Topic": {"Fn::GetAtt": ["Topic", "TopicArn"]},
            "TopicName": {"Fn::GetAtt": ["Topic", "TopicName"]},
            "Plain": {"Ref": "Plain"},
            "Subscription": {"Ref": "Subscription"},
            "Bus": {"Ref": "Bus"},
            "Archive": {"Ref": "Archive"},
            "ArchiveArn": {"Fn::GetAtt": ["Archive", "Arn"]},
            "Rule": {"Ref": "Rule"},
            "RuleArn": {"Fn::GetAtt": ["Rule", "Arn"]},
            "Schedule": {"Ref": "Schedule"},
            "Group": {"Ref": "Group"},
        }.items()
    },
}


def test_native_types_are_made_changed_and_removed(stand: Stand, stack: Bring) -> None:
    body = copy.deepcopy(NATIVE)
    bus = body["Resources"]["Bus"]["Properties"]["Name"] = unique("bus")
    made = stack(body)
    sns, scheduler = stand.cloud.client("sns"), stand.cloud.client("scheduler")
    assert made["TopicName"].endswith(".fifo")
    assert made["Topic"].endswith(made["TopicName"])
    assert made["Bus"] == bus
    assert made["Rule"].startswith(f"{bus}|")
    has = sns.get_subscription_attributes(SubscriptionArn=made["Subscription"])["Attributes"]
    assert has["RawMessageDelivery"] == "true"
    policy = json.loads(stand.events.describe_event_bus(Name=bus)["Policy"])
    assert [one["Sid"] for one in policy["Statement"]] == ["other"]
    stand.put({"n": 1}, Source="stacked", EventBusName=bus)
    assert stand.bodies(made["Queue"]) == [{"n": 1}]
    kept = stand.events.describe_archive(ArchiveName=made["Archive"])
    assert (kept["ArchiveArn"], kept["EventCount"]) == (made["ArchiveArn"], 1)
    assert (json.loads(kept["EventPattern"]), kept["RetentionDays"]) == (PATTERN, 3)
    shown = scheduler.get_schedule(Name=made["Schedule"], GroupName=made["Group"])
    assert shown["State"] == "ENABLED"
    resources = body["Resources"]
    resources["Rule"]["Properties"]["Targets"][0] = {
        "Id": "other",
        "Arn": {"Fn::GetAtt": ["Queue", "Arn"]},
        "Input": '"fixed"',
    }
    resources["Schedule"]["Properties"]["State"] = "DISABLED"
    resources["Archive"]["Properties"] = {
        "SourceArn": {"Fn::GetAtt": ["Bus", "Arn"]},
        "Description": "all",
    }
    resources["Plain"]["Properties"] = {"DisplayName": "changed"}
    resources["Subscription"]["Properties"] |= {
        "FilterPolicy": {"a": {"b": ["c"]}},
        "FilterPolicyScope": "MessageBody",
    }
    resources["Topic"]["Properties"]["Tags"] = [{"Key": "b", "Value": "2"}]
    changed = stack(body)
    assert changed == made
    kept = stand.events.describe_archive(ArchiveName=made["Archive"])
    assert (kept["Description"], kept["RetentionDays"], "EventPattern" in kept) == ("all", 0, False)
    stand.put({"n": 2}, Source="stacked", EventBusName=bus)
    assert stand.bodies(made["Queue"]) == ["fixed"]
    shown = scheduler.get_schedule(Name=made["Schedule"], GroupName=made["Group"])
    assert shown["State"] == "DISABLED"
    assert sns.list_subscriptions_by_topic(TopicArn=made["Plain"])["Subscriptions"] == []
    has = sns.get_subscription_attributes(SubscriptionArn=made["Subscription"])["Attributes"]
    assert has["FilterPolicyScope"] == "MessageBody"
    tags = sns.list_tags_for_resource(ResourceArn=made["Topic"])["Tags"]
    assert {"Key": "b", "Value": "2"} in tags
