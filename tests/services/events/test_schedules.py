"""Rules and schedules by time, on a clock that the tests move.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.services.events.conftest import ACCOUNT, Inside, Stand, opened, trust, unique

from cumulet.services.events.delivery import EventDeliveries
from cumulet.services.events.scheduler.firing import ScheduleDeliveries, run_schedules
from cumulet.services.events.workers import run_rules

Refusal = Callable[..., tuple[str, str]]

START = datetime(2026, 3, 28, 12, 0, tzinfo=UTC).timestamp()
OFF = {"Mode": "OFF"}


async def pass_time(here: Inside, seconds: float) -> None:
    """Move the clock, and do what is due then."""
    await here.clock.advance(seconds)
    await run_rules(here.platform)
    await run_schedules(here.platform)
    await here.settle(EventDeliveries)
    await here.settle(ScheduleDeliveries)


def test_a_rate_rule_comes_at_its_pace(inside: Any) -> None:
    async def story(here: Inside) -> None:
        url, arn = await here.queue(opened("events.amazonaws.com"))
        made = await here.call("events", "PutRule", Name="r", ScheduleExpression="rate(5 minutes)")
        await here.call("events", "PutTargets", Rule="r", Targets=[{"Id": "q", "Arn": arn}])
        await pass_time(here, 299)
        assert await here.messages(url) == []
        await pass_time(here, 1)
        [event] = await here.messages(url)
        assert event["source"] == "aws.events"
        assert event["detail-type"] == "Scheduled Event"
        assert event["resources"] == [made["RuleArn"]]
        assert event["time"] == "2026-03-28T12:05:00Z"
        assert event["detail"] == {}
        await pass_time(here, 300)
        assert len(await here.messages(url)) == 1
        await here.call("events", "DisableRule", Name="r")
        await pass_time(here, 600)
        assert await here.messages(url) == []

    inside(story, START)


def test_what_was_missed_comes_once(inside: Any) -> None:
    async def story(here: Inside) -> None:
        url, arn = await here.queue(opened("events.amazonaws.com"))
        await here.call("events", "PutRule", Name="r", ScheduleExpression="cron(0 * * * ? *)")
        await here.call("events", "PutTargets", Rule="r", Targets=[{"Id": "q", "Arn": arn}])
        await pass_time(here, 5 * 3_600 + 60)
        assert [one["time"] for one in await here.messages(url)] == ["2026-03-28T13:00:00Z"]
        await pass_time(here, 3_600)
        assert [one["time"] for one in await here.messages(url)] == ["2026-03-28T18:00:00Z"]

    inside(story, START)


async def schedule(here: Inside, arn: str, expression: str, **more: Any) -> str:
    role = await here.role("scheduler.amazonaws.com")
    target = {"Arn": arn, "RoleArn": role, **more.pop("Target", {})}
    made = await here.call(
        "scheduler",
        "CreateSchedule",
        Name=unique("s"),
        ScheduleExpression=expression,
        FlexibleTimeWindow=more.pop("FlexibleTimeWindow", OFF),
        Target=target,
        **more,
    )
    return str(made["ScheduleArn"])


def test_a_schedule_comes_once_at_its_local_time_and_goes(inside: Any) -> None:
    async def story(here: Inside) -> None:
        url, arn = await here.queue("")
        text = json.dumps(
            {"at": "<aws.scheduler.scheduled-time>", "n": "<aws.scheduler.attempt-number>"}
        )
        made = await schedule(
            here,
            arn,
            "at(2026-03-28T14:00:00)",
            ScheduleExpressionTimezone="Europe/Berlin",
            ActionAfterCompletion="DELETE",
            Target={"Input": text},
        )
        await pass_time(here, 3_599)
        assert await here.messages(url) == []
        await pass_time(here, 1)
        assert await here.messages(url) == [{"at": "2026-03-28T13:00:00Z", "n": "1"}]
        listed = await here.call("scheduler", "ListSchedules")
        assert made not in [one["Arn"] for one in listed["Schedules"]]

    inside(story, START)


def test_a_cron_follows_the_clocks_of_its_zone(inside: Any) -> None:
    """On 29 March 2026 clocks in Berlin go from 2 to 3: there is no half past two that day."""

    async def story(here: Inside) -> None:
        url, arn = await here.queue("")
        await schedule(here, arn, "cron(30 2 * * ? *)", ScheduleExpressionTimezone="Europe/Berlin")
        times = []
        for _ in range(72):
            await pass_time(here, 1_800)
            times += [one["time"] for one in await here.messages(url)]
        for _ in range(72):
            await pass_time(here, 1_800)
            times += [one["time"] for one in await here.messages(url)]
        assert times == ["2026-03-30T00:30:00Z", "2026-03-31T00:30:00Z"]

    inside(story, START)


def test_a_rate_begins_at_once_and_ends_with_its_end(inside: Any) -> None:
    async def story(here: Inside) -> None:
        url, arn = await here.queue("")
        end = datetime.fromtimestamp(START + 130, UTC)
        await schedule(here, arn, "rate(1 minutes)", EndDate=end)
        times = []
        for _ in range(8):
            await pass_time(here, 0 if not times else 30)
            times += [one["time"][-9:] for one in await here.messages(url)]
        assert times == ["12:00:00Z", "12:01:00Z", "12:02:00Z"]

    inside(story, START)


def test_a_window_puts_off_but_not_beyond_its_end(inside: Any) -> None:
    async def story(here: Inside) -> None:
        url, arn = await here.queue("")
        window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
        await schedule(here, arn, "cron(0 13 * * ? *)", FlexibleTimeWindow=window)
        await pass_time(here, 3_599)
        assert await here.messages(url) == []
        await pass_time(here, 901)
        assert [one["time"] for one in await here.messages(url)] == ["2026-03-28T13:00:00Z"]

    inside(story, START)


def test_an_invocation_that_cannot_be_goes_to_the_dead_letters(inside: Any) -> None:
    async def story(here: Inside) -> None:
        url, dead = await here.queue("")
        gone = f"arn:aws:sqs:us-east-1:{ACCOUNT}:gone"
        await schedule(here, gone, "rate(1 hour)", Target={"DeadLetterConfig": {"Arn": dead}})
        await pass_time(here, 0)
        [letter] = await here.messages(url)
        assert letter["source"] == "aws.scheduler"

    inside(story, START)


def test_universal_and_event_bus_targets(inside: Any) -> None:
    async def story(here: Inside) -> None:
        url, arn = await here.queue(opened("events.amazonaws.com"))
        universal = "arn:aws:scheduler:::aws-sdk:sqs:sendMessage"
        text = json.dumps({"QueueUrl": url, "MessageBody": '{"universal": true}'})
        await schedule(here, universal, "rate(1 hour)", Target={"Input": text})
        pattern = json.dumps({"source": ["me"]})
        await here.call("events", "PutRule", Name="r", EventPattern=pattern)
        await here.call("events", "PutTargets", Rule="r", Targets=[{"Id": "q", "Arn": arn}])
        bus = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"
        given = {"Source": "me", "DetailType": "tick"}
        more = {"EventBridgeParameters": given, "Input": '{"n": 1}'}
        await schedule(here, bus, "rate(1 hour)", Target=more)
        await pass_time(here, 0)
        await here.settle(EventDeliveries)
        found = await here.messages(url)
        assert {"universal": True} in found
        assert [one["detail"] for one in found if "detail" in one] == [{"n": 1}]

    inside(story, START)


def test_schedules_are_described_changed_and_listed(stand: Stand, refusal: Refusal) -> None:
    scheduler = stand.cloud.client("scheduler")
    role = stand.role("scheduler.amazonaws.com")
    target = {"Arn": stand.arn(stand.queue()), "RoleArn": role}
    group, name = unique("group"), unique("schedule")
    made = scheduler.create_schedule_group(Name=group, Tags=[{"Key": "a", "Value": "b"}])
    arn = made["ScheduleGroupArn"]
    assert scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    scheduler.tag_resource(ResourceArn=arn, Tags=[{"Key": "c", "Value": "d"}])
    scheduler.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "c", "Value": "d"}]
    words = {
        "Name": name,
        "GroupName": group,
        "ScheduleExpression": "rate(1 days)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": target,
    }
    start = datetime(2030, 1, 1, tzinfo=UTC)
    scheduler.create_schedule(**words, StartDate=start)
    assert refusal(scheduler.create_schedule, **words)[0] == "ConflictException"
    shown = scheduler.get_schedule(Name=name, GroupName=group)
    assert shown["Target"]["Arn"] == target["Arn"]
    assert shown["StartDate"] == start
    assert shown["ScheduleExpressionTimezone"] == "UTC"
    scheduler.update_schedule(**words, State="DISABLED")
    listed = scheduler.list_schedules(GroupName=group, State="DISABLED")["Schedules"]
    assert [one["Name"] for one in listed] == [name]
    scheduler.delete_schedule(Name=name, GroupName=group)
    code, told = refusal(scheduler.get_schedule, Name=name, GroupName=group)
    assert (code, told) == ("ResourceNotFoundException", f"Schedule {name} does not exist.")
    scheduler.create_schedule(**words, State="DISABLED")
    assert scheduler.get_schedule_group(Name=group)["State"] == "ACTIVE"
    groups = scheduler.list_schedule_groups(NamePrefix=group)["ScheduleGroups"]
    assert [one["Name"] for one in groups] == [group]
    scheduler.delete_schedule_group(Name=group)
    assert refusal(scheduler.list_schedules, GroupName=group)[0] == "ResourceNotFoundException"


def test_what_cannot_be_scheduled_is_refused(stand: Stand, refusal: Refusal) -> None:
    scheduler = stand.cloud.client("scheduler")
    role = stand.role("scheduler.amazonaws.com")
    arn = stand.arn(stand.queue())

    def refused(**changes: Any) -> str:
        words = {
            "Name": unique("s"),
            "ScheduleExpression": "rate(1 day)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": arn, "RoleArn": role},
            **changes,
        }
        code, told = refusal(scheduler.create_schedule, **words)
        assert code == "ValidationException"
        return told

    assert refused(ScheduleExpression="often") == "Invalid Schedule Expression often."
    assert "Timezone" in refused(ScheduleExpressionTimezone="Mars/Base")
    assert "Window" in refused(FlexibleTimeWindow={"Mode": "FLEXIBLE"})
    for other in ("kinesis:us-east-1:1:stream/x", "scheduler:::aws-sdk:ec2:runInstances"):
        told = refused(Target={"Arn": f"arn:aws:{other}", "RoleArn": role})
        assert "not supported by Cumulet" in told
    iam = stand.cloud.client("iam")
    made = iam.create_role(
        RoleName=unique("r"), AssumeRolePolicyDocument=trust("lambda.amazonaws.com")
    )
    told = refused(Target={"Arn": arn, "RoleArn": made["Role"]["Arn"]})
    assert told.startswith("The execution role you provide must allow")
