"""Alarms evaluated by the clock, and what they tell topics, functions and the bus.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Acting_Alarm_Changes.html
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

from tests.conftest import Cloud
from tests.services.cloudwatch.conftest import eventually, unique
from tests.services.events.conftest import ACCOUNT, Inside, Stand, opened

from cumulet.services.cloudwatch.alarms.acting import AlarmDeliveries
from cumulet.services.cloudwatch.alarms.watching import evaluate_due

ARN = f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:"
CODE = """
import boto3, json, os
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["OUT"], MessageBody=json.dumps(event))
"""


def alarm(name: str, **more: Any) -> dict[str, Any]:
    return {
        "AlarmName": name,
        "Namespace": "App",
        "MetricName": "Errors",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 2,
        "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanThreshold",
        **more,
    }


def actions(cloudwatch: Any, name: str) -> list[dict[str, Any]]:
    """The actions of an alarm that its history tells of."""
    answer = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="Action")
    found: list[dict[str, Any]] = answer["AlarmHistoryItems"]
    return found


def topic_to_queue(stand: Stand) -> tuple[str, str]:
    """A topic, and the queue in which its messages arrive."""
    sns = stand.cloud.client("sns")
    url = stand.queue(opened("sns.amazonaws.com"))
    topic: str = sns.create_topic(Name=unique("topic"))["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=stand.arn(url))
    return topic, url


def test_a_topic_and_the_bus_are_told_of_a_new_state(stand: Stand) -> None:
    cloudwatch, name = stand.cloud.client("cloudwatch"), unique("told")
    topic, url = topic_to_queue(stand)
    events = stand.queue()
    pattern = {"source": ["aws.cloudwatch"], "detail": {"alarmName": [name]}}
    stand.rule({"Id": "q", "Arn": stand.arn(events)}, EventPattern=json.dumps(pattern))
    dimensions = [{"Name": "App", "Value": "a"}]
    cloudwatch.put_metric_alarm(
        **alarm(name, AlarmActions=[topic], AlarmDescription="words", Dimensions=dimensions)
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="by hand")
    (message,) = stand.bodies(url)
    assert message["Subject"] == f'ALARM: "{name}" in US East (N. Virginia)'
    told = json.loads(message["Message"])
    assert told["AlarmName"] == name
    assert told["AlarmArn"] == ARN + name
    assert told["AWSAccountId"] == ACCOUNT
    assert (told["OldStateValue"], told["NewStateValue"]) == ("INSUFFICIENT_DATA", "ALARM")
    assert told["NewStateReason"] == "by hand"
    assert told["AlarmActions"] == [topic]
    assert told["Trigger"] == {
        "MetricName": "Errors",
        "Namespace": "App",
        "StatisticType": "Statistic",
        "Statistic": "SUM",
        "Unit": None,
        "Dimensions": [{"value": "a", "name": "App"}],
        "Period": 60,
        "EvaluationPeriods": 2,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 5.0,
        "TreatMissingData": "missing",
        "EvaluateLowSampleCountPercentile": "",
    }
    (event,) = stand.bodies(events)
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert event["resources"] == [ARN + name]
    detail = event["detail"]
    assert detail["state"]["value"] == "ALARM"
    assert detail["previousState"]["value"] == "INSUFFICIENT_DATA"
    (metric,) = detail["configuration"]["metrics"]
    assert metric["metricStat"] == {
        "metric": {"namespace": "App", "name": "Errors", "dimensions": {"App": "a"}},
        "period": 60,
        "stat": "Sum",
    }
    (item,) = eventually(lambda: actions(cloudwatch, name))
    assert item["HistorySummary"] == f"Successfully executed action {topic}"
    assert json.loads(json.loads(item["HistoryData"])["publishedMessage"]) == told


def test_a_function_is_invoked_when_its_policy_lets_alarms_in(stand: Stand) -> None:
    cloudwatch, functions = stand.cloud.client("cloudwatch"), stand.cloud.client("lambda")
    out, name = stand.queue(), unique("acting")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("app.py", CODE)
    function = functions.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Handler="app.handler",
        Role=stand.role("lambda.amazonaws.com"),
        Code={"ZipFile": archive.getvalue()},
        Environment={"Variables": {"OUT": out}},
    )["FunctionArn"]
    cloudwatch.put_metric_alarm(**alarm(name, AlarmActions=[function], OKActions=[function]))
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="not allowed")
    (item,) = eventually(lambda: actions(cloudwatch, name))
    assert item["HistorySummary"] == f"Failed to execute action {function}"
    functions.add_permission(
        FunctionName=name,
        StatementId="alarms",
        Action="lambda:InvokeFunction",
        Principal="lambda.alarms.cloudwatch.amazonaws.com",
        SourceAccount=ACCOUNT,
        SourceArn=ARN + name,
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="allowed")
    (event,) = stand.bodies(out)
    assert event["source"] == "aws.cloudwatch"
    assert (event["alarmArn"], event["accountId"]) == (ARN + name, ACCOUNT)
    assert event["alarmData"]["alarmName"] == name
    assert event["alarmData"]["state"]["reason"] == "allowed"
    assert event["alarmData"]["previousState"]["value"] == "ALARM"


def test_actions_of_answered_changes_survive_a_kill(new_cloud: Callable[..., Cloud]) -> None:
    cloud = new_cloud()
    stand = Stand(cloud)
    topic, url = topic_to_queue(stand)
    cloudwatch = cloud.client("cloudwatch")
    names = [unique("kill") for _ in range(10)]
    for name in names:
        cloudwatch.put_metric_alarm(**alarm(name, AlarmActions=[topic]))
    for name in names:
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="before")
    cloud.kill()
    cloud.start()
    again = Stand(cloud)
    queue = again.sqs.get_queue_url(QueueName=url.rpartition("/")[2])["QueueUrl"]
    seen: set[str] = set()
    while len(seen) < len(names):
        seen |= {json.loads(one["Message"])["AlarmName"] for one in again.bodies(queue)}
    assert seen == set(names)
    states = cloud.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
    assert {one["StateValue"] for one in states} <= {"ALARM", "INSUFFICIENT_DATA"}
    assert all(
        any(one["HistorySummary"].endswith("to ALARM") for one in _history(cloud, name))
        for name in names
    )


def _history(cloud: Cloud, name: str) -> list[dict[str, Any]]:
    answer = cloud.client("cloudwatch").describe_alarm_history(AlarmName=name)
    found: list[dict[str, Any]] = answer["AlarmHistoryItems"]
    return found


class Watched:
    """Alarms of a platform whose clock moves when told, and the queue that hears of them."""

    def __init__(self, inside: Inside) -> None:
        self.inside = inside
        self.url = self.topic = ""

    async def begin(self) -> None:
        self.url, queue = await self.inside.queue(opened("sns.amazonaws.com"))
        made = await self.inside.call("sns", "CreateTopic", Name=unique("topic"))
        self.topic = made["TopicArn"]
        await self.inside.call(
            "sns", "Subscribe", TopicArn=self.topic, Protocol="sqs", Endpoint=queue,
            Attributes={"RawMessageDelivery": "true"},
        )  # fmt: skip

    async def put(self, value: float, **more: Any) -> None:
        datum = {"MetricName": "Errors", "Value": value, **more}
        await self.inside.call("cloudwatch", "PutMetricData", Namespace="App", MetricData=[datum])

    async def step(self, seconds: float = 60.0) -> None:
        await self.inside.clock.advance(seconds)
        await self.now()

    async def now(self) -> None:
        """Evaluate what is due, alarms made of alarms too."""
        for _ in range(3):
            await evaluate_due(self.inside.platform)

    async def state(self, name: str, kind: str = "MetricAlarm") -> str:
        answer = await self.inside.call(
            "cloudwatch", "DescribeAlarms", AlarmNames=[name], AlarmTypes=[kind]
        )
        state: str = answer[f"{kind}s"][0]["StateValue"]
        return state

    async def heard(self) -> list[str]:
        """The states that the topic was told of since it was asked last."""
        from cumulet.services.sns.sending.carry import TopicDeliveries

        await self.inside.settle(AlarmDeliveries)
        await self.inside.settle(TopicDeliveries)
        return [one["NewStateValue"] for one in await self.inside.messages(self.url)]


def test_an_alarm_goes_through_its_states_by_the_clock(inside: Callable[..., None]) -> None:
    async def story(platform: Inside) -> None:
        room = Watched(platform)
        await room.begin()
        actions = {key: [room.topic] for key in ("AlarmActions", "OKActions")}
        await platform.call("cloudwatch", "PutMetricAlarm", **alarm("a", **actions))
        await room.now()
        assert await room.state("a") == "INSUFFICIENT_DATA"
        await room.put(9.0)
        await room.step(66)
        await room.put(9.0)
        await room.step()
        assert await room.state("a") == "ALARM"
        assert await room.heard() == ["ALARM"]
        await room.step(1)
        assert await room.heard() == []
        await room.put(1.0)
        await room.step()
        assert await room.state("a") == "OK"
        assert await room.heard() == ["OK"]
        for _ in range(6):
            await room.step()
        assert await room.state("a") == "INSUFFICIENT_DATA"

    inside(story)


def test_a_high_resolution_alarm_is_looked_at_every_ten_seconds(
    inside: Callable[..., None],
) -> None:
    async def story(platform: Inside) -> None:
        room = Watched(platform)
        settings = alarm("fast", Period=10, EvaluationPeriods=1)
        await platform.call("cloudwatch", "PutMetricAlarm", **settings)
        await room.now()
        await room.put(9.0, StorageResolution=1)
        await room.step(16)
        assert await room.state("fast") == "ALARM"

    inside(story)


def test_percentiles_and_math_are_evaluated(inside: Callable[..., None]) -> None:
    async def story(platform: Inside) -> None:
        room = Watched(platform)
        one = {"EvaluationPeriods": 1, "Statistic": None}
        words = alarm("p", ExtendedStatistic="p90", **one)
        await platform.call(
            "cloudwatch", "PutMetricAlarm", **{k: v for k, v in words.items() if v is not None}
        )
        metric = {"Metric": {"Namespace": "App", "MetricName": "Errors"}, "Period": 60}
        await platform.call(
            "cloudwatch",
            "PutMetricAlarm",
            AlarmName="m",
            EvaluationPeriods=1,
            Threshold=50.0,
            ComparisonOperator="GreaterThanThreshold",
            Metrics=[
                {"Id": "s", "MetricStat": {**metric, "Stat": "Sum"}, "ReturnData": False},
                {"Id": "x", "Expression": "FILL(s, 0) * 10", "ReturnData": True},
            ],
        )
        await room.now()
        assert await room.state("m") == "OK"
        await room.step(20)
        await room.put(0.0, Value=None, Values=[1.0, 9.0], Counts=[8.0, 2.0])
        await room.step(46)
        assert await room.state("p") == "ALARM"
        assert await room.state("m") == "ALARM"

    inside(story)


def test_math_over_five_minutes_is_seen_at_every_minute(inside: Callable[..., None]) -> None:
    """Periods of an alarm end with the minute, wherever that lies within five minutes.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
    """

    async def story(platform: Inside) -> None:
        room = Watched(platform)
        metric = {"Metric": {"Namespace": "App", "MetricName": "Errors"}, "Period": 300}
        sums = {"Id": "s", "MetricStat": {**metric, "Stat": "Sum"}, "ReturnData": False}
        for name, expression in (("sum", "s * 1"), ("filled", "FILL(s, 0)")):
            await platform.call(
                "cloudwatch",
                "PutMetricAlarm",
                AlarmName=name,
                EvaluationPeriods=1,
                Threshold=5.0,
                ComparisonOperator="GreaterThanThreshold",
                Metrics=[sums, {"Id": "x", "Expression": expression, "ReturnData": True}],
            )
        await room.put(9.0)
        await room.step(6)
        for minute in range(1, 11):
            await room.step()
            expected = "ALARM" if minute <= 5 else "OK"
            assert await room.state("filled") == expected, minute
            if minute <= 5:
                assert await room.state("sum") == "ALARM", minute

    inside(story)


def test_a_suppressor_holds_back_actions_for_a_while(inside: Callable[..., None]) -> None:
    async def story(platform: Inside) -> None:
        room = Watched(platform)
        await room.begin()
        for name in ("child", "quiet"):
            settings = alarm(name, TreatMissingData="ignore")
            await platform.call("cloudwatch", "PutMetricAlarm", **settings)

        async def set_to(name: str, state: str) -> None:
            await platform.call(
                "cloudwatch", "SetAlarmState", AlarmName=name, StateValue=state, StateReason="t"
            )
            await room.now()

        await platform.call(
            "cloudwatch",
            "PutCompositeAlarm",
            AlarmName="whole",
            AlarmRule="ALARM(child)",
            AlarmActions=[room.topic],
            ActionsSuppressor="quiet",
            ActionsSuppressorWaitPeriod=20,
            ActionsSuppressorExtensionPeriod=30,
        )
        await room.now()
        await set_to("child", "ALARM")
        assert await room.state("whole", "CompositeAlarm") == "ALARM"
        assert await room.heard() == []
        await set_to("quiet", "ALARM")
        await room.step(25)
        assert await room.heard() == []
        await set_to("quiet", "OK")
        await room.step(10)
        assert await room.heard() == []
        await room.step(21)
        assert await room.heard() == ["ALARM"]

    inside(story)
