"""Events on buses, and what targets get of them.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.services.events.conftest import ACCOUNT, Stand, opened, unique

Refusal = Callable[..., tuple[str, str]]


def test_an_event_comes_to_a_queue_with_its_managed_fields(stand: Stand) -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html"""
    url = stand.queue()
    stand.rule({"Id": "q", "Arn": stand.arn(url)})
    name = stand.put({"a": 1}, Resources=["arn:x"], Time=1_700_000_000)
    assert stand.bodies(url) == [
        {
            "version": "0",
            "id": name,
            "detail-type": "test",
            "source": stand.source,
            "account": ACCOUNT,
            "time": "2023-11-14T22:13:20Z",
            "region": "us-east-1",
            "resources": ["arn:x"],
            "detail": {"a": 1},
        }
    ]


def test_only_what_the_pattern_matches_comes(stand: Stand) -> None:
    url = stand.queue()
    pattern = {"source": [stand.source], "detail": {"total": [{"numeric": [">", 10]}]}}
    stand.rule({"Id": "q", "Arn": stand.arn(url)}, EventPattern=json.dumps(pattern))
    for total in (5, 11, 10, 12):
        stand.put({"total": total})
    assert sorted(one["detail"]["total"] for one in stand.bodies(url, 2)) == [11, 12]


def test_a_disabled_rule_rests(stand: Stand) -> None:
    url = stand.queue()
    arn = stand.rule({"Id": "q", "Arn": stand.arn(url)})
    name = arn.rpartition("/")[2]
    stand.events.disable_rule(Name=name)
    assert stand.events.describe_rule(Name=name)["State"] == "DISABLED"
    stand.put({"n": 1})
    stand.events.enable_rule(Name=name)
    stand.put({"n": 2})
    assert [one["detail"] for one in stand.bodies(url)] == [{"n": 2}]


def test_inputs_are_made_for_the_target(stand: Stand) -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html"""
    urls = [stand.queue() for _ in range(4)]
    arns = [stand.arn(url) for url in urls]
    paths = {"who": "$.detail.who", "list": "$.detail.list", "none": "$.detail.none"}
    rule = stand.rule(
        {"Id": "a", "Arn": arns[0], "Input": '{"fixed": true}'},
        {"Id": "b", "Arn": arns[1], "InputPath": "$.detail.list[1]"},
        {
            "Id": "c",
            "Arn": arns[2],
            "InputTransformer": {
                "InputPathsMap": paths,
                "InputTemplate": '{"text": "hi <who>!<none>", "list": <list>, '
                '"rule": <aws.events.rule-arn>}',
            },
        },
        {
            "Id": "d",
            "Arn": arns[3],
            "InputTransformer": {"InputPathsMap": paths, "InputTemplate": '"<who> came"'},
        },
    )
    stand.put({"who": 'a "b"', "list": [1, {"x": 2}]})
    assert stand.bodies(urls[0]) == [{"fixed": True}]
    assert stand.bodies(urls[1]) == [{"x": 2}]
    wanted = {"text": 'hi a "b"!', "list": [1, {"x": 2}], "rule": rule}
    assert stand.bodies(urls[2]) == [wanted]
    assert stand.bodies(urls[3]) == ['a "b" came']


def test_a_fifo_queue_gets_the_group(stand: Stand) -> None:
    url = stand.queue(FifoQueue="true", ContentBasedDeduplication="true")
    target = {"Id": "q", "Arn": stand.arn(url), "SqsParameters": {"MessageGroupId": "g"}}
    stand.rule(target)
    stand.put()
    [message] = stand.take(url)
    assert message["Attributes"]["MessageGroupId"] == "g"


def test_a_topic_and_another_bus_and_a_log_group_are_targets(stand: Stand) -> None:
    sns, logs = stand.cloud.client("sns"), stand.cloud.client("logs")
    topic = sns.create_topic(Name=unique("topic"))["TopicArn"]
    sns.set_topic_attributes(
        TopicArn=topic,
        AttributeName="Policy",
        AttributeValue=opened("events.amazonaws.com").replace('"*"', '"sns:Publish"', 1),
    )
    after_topic = stand.queue(opened("sns.amazonaws.com"))
    sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=stand.arn(after_topic),
        Attributes={"RawMessageDelivery": "true"},
    )
    bus = unique("bus")
    bus_arn = stand.events.create_event_bus(Name=bus)["EventBusArn"]
    after_bus = stand.queue()
    stand.rule({"Id": "q", "Arn": stand.arn(after_bus)}, EventBusName=bus)
    group = f"/aws/events/{unique('group')}"
    logs.create_log_group(logGroupName=group)
    role = stand.role("events.amazonaws.com")
    stand.rule(
        {"Id": "topic", "Arn": topic},
        {"Id": "bus", "Arn": bus_arn, "RoleArn": role},
        {"Id": "logs", "Arn": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{group}"},
    )
    name = stand.put({"n": 1})
    assert stand.bodies(after_topic)[0]["id"] == name
    passed = stand.bodies(after_bus)[0]
    assert (passed["id"], passed["source"]) == (name, stand.source)
    for _ in range(100):
        found = logs.filter_log_events(logGroupName=group)["events"]
        if found:
            break
    assert json.loads(found[0]["message"])["id"] == name


def test_a_ring_of_buses_ends(stand: Stand) -> None:
    bus = unique("bus")
    bus_arn = stand.events.create_event_bus(Name=bus)["EventBusArn"]
    seen, dead = stand.queue(), stand.queue()
    stand.rule(
        {"Id": "q", "Arn": stand.arn(seen)},
        {"Id": "self", "Arn": bus_arn, "DeadLetterConfig": {"Arn": stand.arn(dead)}},
        EventBusName=bus,
    )
    stand.put(EventBusName=bus)
    [letter] = stand.take(dead)
    assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "LimitExceededException"
    assert len(stand.take(seen, 11)) == 11


def test_what_a_target_refuses_for_good_goes_to_the_dead_letters(stand: Stand) -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html"""
    closed, dead = stand.queue(policy=""), stand.queue()
    target = {
        "Id": "q",
        "Arn": stand.arn(closed),
        "DeadLetterConfig": {"Arn": stand.arn(dead)},
    }
    rule = stand.rule(target)
    name = stand.put({"n": 1})
    [letter] = stand.take(dead)
    assert json.loads(letter["Body"])["id"] == name
    told = {key: one["StringValue"] for key, one in letter["MessageAttributes"].items()}
    assert told["RULE_ARN"] == rule
    assert told["TARGET_ARN"] == target["Arn"]
    assert told["ERROR_CODE"] == "AccessDenied"
    assert told["RETRY_ATTEMPTS"] == "0"


def test_a_target_acts_with_its_role_only(stand: Stand) -> None:
    url, dead = stand.queue(policy=""), stand.queue()
    arn = stand.arn(url)
    statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn}
    allowed = stand.role(
        "events.amazonaws.com", {"Version": "2012-10-17", "Statement": [statement]}
    )
    other = stand.role(
        "events.amazonaws.com",
        {"Version": "2012-10-17", "Statement": [{**statement, "Resource": arn + "x"}]},
    )
    letters = {"DeadLetterConfig": {"Arn": stand.arn(dead)}}
    stand.rule(
        {"Id": "good", "Arn": arn, "RoleArn": allowed},
        {"Id": "bad", "Arn": arn, "RoleArn": other, **letters},
    )
    name = stand.put()
    assert [one["id"] for one in stand.bodies(url)] == [name]
    assert json.loads(stand.take(dead)[0]["Body"])["id"] == name


def test_entries_are_answered_one_by_one(stand: Stand) -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html"""
    good = {"Source": stand.source, "DetailType": "t", "Detail": "{}"}
    answer = stand.events.put_events(
        Entries=[
            good,
            {**good, "Detail": "[1]"},
            {**good, "Source": "aws.ec2"},
            {"Source": stand.source, "Detail": "{}"},
        ]
    )
    codes = [entry.get("ErrorCode") for entry in answer["Entries"]]
    assert answer["FailedEntryCount"] == 3
    assert codes == [
        None,
        "MalformedDetail",
        "NotAuthorizedForSourceException",
        "InvalidArgument",
    ]
    # AWS answers an event for no bus as if it were taken.
    nowhere = stand.events.put_events(Entries=[{**good, "EventBusName": "nowhere"}])
    assert nowhere["FailedEntryCount"] == 0


def test_too_much_at_once_is_refused(stand: Stand, refusal: Refusal) -> None:
    detail = json.dumps({"x": "y" * 1_048_576})
    entry = {"Source": stand.source, "DetailType": "t", "Detail": detail}
    code, _ = refusal(stand.events.put_events, Entries=[entry])
    assert code == "ValidationException"


def test_an_account_uses_anothers_bus_by_its_policy(stand: Stand) -> None:
    bus = unique("bus")
    arn = stand.events.create_event_bus(Name=bus)["EventBusArn"]
    stand.events.put_permission(
        EventBusName=bus,
        StatementId="other",
        Action="events:PutEvents",
        Principal="111111111111",
    )
    policy = json.loads(stand.events.describe_event_bus(Name=bus)["Policy"])
    [statement] = policy["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::111111111111:root"}
    assert statement["Resource"] == arn
    stand.events.remove_permission(EventBusName=bus, StatementId="other")
    assert "Policy" not in stand.events.describe_event_bus(Name=bus)


def test_a_user_needs_permission_for_the_bus(stand: Stand, refusal: Refusal) -> None:
    iam = stand.cloud.client("iam")
    user, bus = unique("user"), unique("bus")
    arn = stand.events.create_event_bus(Name=bus)["EventBusArn"]
    iam.create_user(UserName=user)
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Action": "events:PutEvents",
        "Resource": arn,
        "Condition": {"StringEquals": {"events:source": stand.source}},
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    events = stand.cloud.client("events", key=(key["AccessKeyId"], key["SecretAccessKey"]))
    good = {"Source": stand.source, "DetailType": "t", "Detail": "{}", "EventBusName": bus}
    assert events.put_events(Entries=[good])["FailedEntryCount"] == 0
    for entries in (
        [{**good, "EventBusName": "default"}],
        [{**good, "Source": "other"}],
        [good, {**good, "Source": "other"}],
    ):
        assert refusal(events.put_events, Entries=entries)[0] == "AccessDeniedException"


def test_patterns_are_tried(stand: Stand, refusal: Refusal) -> None:
    event = {
        "id": "1",
        "detail-type": "t",
        "source": "s",
        "account": ACCOUNT,
        "time": "2026-01-01T00:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {"a": "b"},
    }
    ask = stand.events.test_event_pattern
    assert ask(EventPattern='{"detail": {"a": ["b"]}}', Event=json.dumps(event))["Result"]
    assert not ask(EventPattern='{"detail": {"a": ["c"]}}', Event=json.dumps(event))["Result"]
    code, told = refusal(ask, EventPattern="[]", Event=json.dumps(event))
    assert code == "InvalidEventPatternException"
    assert told.startswith("Event pattern is not valid. Reason: ")
    code, _ = refusal(ask, EventPattern='{"a": ["b"]}', Event="{}")
    assert code == "ValidationException"
