"""What was answered is delivered, whatever happens to the cloud in between."""

from __future__ import annotations

from collections.abc import Callable

from tests.conftest import Cloud
from tests.services.events.conftest import Stand

COUNT = 60


def test_events_and_schedules_survive_a_kill(new_cloud: Callable[..., Cloud]) -> None:
    cloud = new_cloud()
    stand = Stand(cloud)
    by_rule, by_schedule = stand.queue(), stand.queue()
    stand.rule({"Id": "q", "Arn": stand.arn(by_rule)})
    ids = {stand.put({"n": number}) for number in range(COUNT)}
    role = stand.role("scheduler.amazonaws.com")
    cloud.client("scheduler").create_schedule(
        Name="once",
        ScheduleExpression="rate(1 days)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": stand.arn(by_schedule), "RoleArn": role},
    )
    cloud.kill()
    cloud.start()
    again = Stand(cloud)
    names = [url.rpartition("/")[2] for url in (by_rule, by_schedule)]
    urls = [again.sqs.get_queue_url(QueueName=name)["QueueUrl"] for name in names]
    seen: set[str] = set()
    while len(seen) < COUNT:
        seen |= {event["id"] for event in again.bodies(urls[0])}
    assert seen == ids
    [event] = again.bodies(urls[1])
    assert event["source"] == "aws.scheduler"
