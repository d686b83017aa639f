"""Buses, rules, targets and tags as they are described.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.services.events.conftest import Stand, unique

Refusal = Callable[..., tuple[str, str]]


def test_a_bus_is_made_described_changed_and_deleted(stand: Stand, refusal: Refusal) -> None:
    events, name = stand.events, unique("bus")
    arn = events.create_event_bus(Name=name, Description="one")["EventBusArn"]
    assert refusal(events.create_event_bus, Name=name)[0] == "ResourceAlreadyExistsException"
    shown = events.describe_event_bus(Name=arn)
    assert (shown["Name"], shown["Arn"], shown["Description"]) == (name, arn, "one")
    assert events.update_event_bus(Name=name, Description="two")["Description"] == "two"
    listed = [bus["Name"] for bus in events.list_event_buses()["EventBuses"]]
    assert {"default", name} <= set(listed)
    rule = unique("rule")
    pattern = '{"source": ["x"]}'
    events.put_rule(Name=rule, EventBusName=name, EventPattern=pattern)
    code, told = refusal(events.delete_event_bus, Name=name)
    assert (code, "rules" in told) == ("ValidationException", True)
    events.delete_rule(Name=rule, EventBusName=name)
    events.delete_event_bus(Name=name)
    code, told = refusal(events.describe_event_bus, Name=name)
    assert (code, told) == ("ResourceNotFoundException", f"Event bus {name} does not exist.")
    assert refusal(events.delete_event_bus, Name="default")[0] == "ValidationException"


def test_a_rule_is_described_listed_and_deleted(stand: Stand, refusal: Refusal) -> None:
    events, name = stand.events, unique("rule")
    pattern = json.dumps({"source": [name]})
    arn = events.put_rule(Name=name, EventPattern=pattern, Description="d")["RuleArn"]
    shown = events.describe_rule(Name=name)
    assert (shown["Arn"], shown["EventPattern"], shown["State"]) == (arn, pattern, "ENABLED")
    assert shown["EventBusName"] == "default"
    [listed] = events.list_rules(NamePrefix=name)["Rules"]
    assert listed["Arn"] == arn
    target = {"Id": "t", "Arn": stand.arn(stand.queue())}
    events.put_targets(Rule=name, Targets=[target])
    assert events.list_targets_by_rule(Rule=name)["Targets"] == [target]
    names = events.list_rule_names_by_target(TargetArn=target["Arn"])["RuleNames"]
    assert names == [name]
    code, told = refusal(events.delete_rule, Name=name)
    assert (code, told) == (
        "ValidationException",
        "Rule can't be deleted since it has targets.",
    )
    answer = events.remove_targets(Rule=name, Ids=["t", "u"])
    assert [one["TargetId"] for one in answer["FailedEntries"]] == ["u"]
    events.delete_rule(Name=name)
    code, told = refusal(events.describe_rule, Name=name)
    assert told == f"Rule {name} does not exist on EventBus default."


def test_tags(stand: Stand) -> None:
    events, name = stand.events, unique("rule")
    tags = [{"Key": "a", "Value": "1"}]
    made = events.put_rule(Name=name, EventPattern='{"source": ["x"]}', Tags=tags)
    arn = made["RuleArn"]
    events.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
    events.untag_resource(ResourceARN=arn, TagKeys=["a"])
    found = events.list_tags_for_resource(ResourceARN=arn)["Tags"]
    assert found == [{"Key": "b", "Value": "2"}]


def test_what_cannot_be_a_rule_is_refused(stand: Stand, refusal: Refusal) -> None:
    put, name = stand.events.put_rule, unique("rule")
    assert refusal(put, Name=name)[1] == (
        "Parameter(s) EventPattern or ScheduleExpression must be specified."
    )
    code, _ = refusal(put, Name=name, EventPattern="{}")
    assert code == "InvalidEventPatternException"
    for text in ("rate(1 minutes)", "rate(5 minute)", "cron(* * * * *)", "at(2030-01-01T00:00:00)"):
        code, told = refusal(put, Name=name, ScheduleExpression=text)
        assert told == "Parameter ScheduleExpression is not valid."
    bus = unique("bus")
    stand.events.create_event_bus(Name=bus)
    code, told = refusal(put, Name=name, ScheduleExpression="rate(1 day)", EventBusName=bus)
    assert told == "ScheduleExpression is supported only on the default event bus."
    code, _ = refusal(put, Name=name, EventPattern='{"a": ["b"]}', EventBusName="none")
    assert code == "ResourceNotFoundException"


def test_what_cannot_be_a_target_is_refused(stand: Stand, refusal: Refusal) -> None:
    name = stand.rule().rpartition("/")[2]
    queue = stand.arn(stand.queue())

    def refused(**target: Any) -> str:
        code, told = refusal(
            stand.events.put_targets, Rule=name, Targets=[{"Id": "t", "Arn": queue, **target}]
        )
        assert code in ("ValidationException", "LimitExceededException")
        return told

    kinesis = "arn:aws:kinesis:us-east-1:000000000000:stream/x"
    assert "not supported by Cumulet" in refused(Arn=kinesis)
    assert "correct format" in refused(Arn="nothing")
    assert "JSON" in refused(Input="{")
    assert "InputPath" in refused(InputPath="detail")
    assert "Only one of" in refused(Input="{}", InputPath="$")
    template = {"InputTemplate": '"<unknown>"'}
    assert "placeholder" in refused(InputTransformer=template)
    assert "SqsParameters" in refused(Arn=queue + ".fifo")
    assert "dead letters" in refused(DeadLetterConfig={"Arn": kinesis})
    many = [{"Id": str(number), "Arn": queue} for number in range(6)]
    code, _ = refusal(stand.events.put_targets, Rule=name, Targets=many)
    assert code == "LimitExceededException"


def test_a_role_must_be_passed(stand: Stand, refusal: Refusal) -> None:
    iam, user = stand.cloud.client("iam"), unique("user")
    role = stand.role("events.amazonaws.com")
    iam.create_user(UserName=user)
    statement = {"Effect": "Allow", "Action": "events:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    events = stand.cloud.client("events", key=(key["AccessKeyId"], key["SecretAccessKey"]))
    name = stand.rule().rpartition("/")[2]
    target = {"Id": "t", "Arn": stand.arn(stand.queue())}
    events.put_targets(Rule=name, Targets=[target])
    code, told = refusal(events.put_targets, Rule=name, Targets=[{**target, "RoleArn": role}])
    assert (code, "iam:PassRole" in told) == ("AccessDeniedException", True)
