"""Archives keep events, and replays send them once more.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.conftest import Cloud
from tests.services.events.conftest import ACCOUNT, Inside, Stand, opened, unique

Refusal = Callable[..., tuple[str, str]]
DEFAULT_BUS = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"
LONG_AGO, LATER = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
REPLAY_SECONDS_MAX = 60
MANY = 210


def archive(stand: Stand, **settings: Any) -> tuple[str, str]:
    """An archive of this test's events; its name and ARN."""
    name = unique("archive")
    settings.setdefault("EventPattern", json.dumps({"source": [stand.source]}))
    made = stand.events.create_archive(
        ArchiveName=name, EventSourceArn=settings.pop("EventSourceArn", DEFAULT_BUS), **settings
    )
    assert made["State"] == "ENABLED"
    return name, made["ArchiveArn"]


def replay(stand: Stand, source: str, **settings: Any) -> str:
    name = unique("replay")
    settings = {
        "EventStartTime": LONG_AGO,
        "EventEndTime": LATER,
        "Destination": {"Arn": DEFAULT_BUS},
        **settings,
    }
    made = stand.events.start_replay(ReplayName=name, EventSourceArn=source, **settings)
    assert made["State"] == "STARTING"
    return name


def ended(stand: Stand, name: str) -> dict[str, Any]:
    until = time.monotonic() + REPLAY_SECONDS_MAX
    while True:
        shown: dict[str, Any] = stand.events.describe_replay(ReplayName=name)
        if shown["State"] not in ("STARTING", "RUNNING", "CANCELLING"):
            return shown
        assert time.monotonic() < until, "the replay does not end"


def test_an_archive_is_made_described_changed_listed_and_deleted(
    stand: Stand, refusal: Refusal
) -> None:
    events = stand.events
    name, arn = archive(stand, Description="one", RetentionDays=3)
    assert arn == f"arn:aws:events:us-east-1:{ACCOUNT}:archive/{name}"
    stand.put({"n": 1})
    shown = events.describe_archive(ArchiveName=name)
    assert (shown["ArchiveArn"], shown["EventSourceArn"]) == (arn, DEFAULT_BUS)
    assert (shown["Description"], shown["RetentionDays"], shown["State"]) == ("one", 3, "ENABLED")
    assert json.loads(shown["EventPattern"]) == {"source": [stand.source]}
    assert (shown["EventCount"], shown["SizeBytes"] > 100) == (1, True)
    events.update_archive(ArchiveName=name, Description="two", RetentionDays=0)
    shown = events.describe_archive(ArchiveName=name)
    assert (shown["Description"], shown["RetentionDays"]) == ("two", 0)
    assert json.loads(shown["EventPattern"]) == {"source": [stand.source]}
    [listed] = events.list_archives(NamePrefix=name)["Archives"]
    assert (listed["ArchiveName"], listed["EventCount"]) == (name, 1)
    by_bus = events.list_archives(EventSourceArn=DEFAULT_BUS)["Archives"]
    assert name in [one["ArchiveName"] for one in by_bus]
    events.delete_archive(ArchiveName=name)
    gone = ("ResourceNotFoundException", f"Archive {name} does not exist.")
    for call in (events.describe_archive, events.delete_archive, events.update_archive):
        assert refusal(call, ArchiveName=name) == gone


def test_what_cannot_be_an_archive_is_refused(stand: Stand, refusal: Refusal) -> None:
    make, (name, _) = stand.events.create_archive, archive(stand)
    words = {"ArchiveName": unique("a"), "EventSourceArn": DEFAULT_BUS}
    assert refusal(make, **{**words, "ArchiveName": name}) == (
        "ResourceAlreadyExistsException",
        f"Archive {name} already exists.",
    )
    missing = DEFAULT_BUS.replace("default", "nowhere")
    assert refusal(make, **{**words, "EventSourceArn": missing}) == (
        "ResourceNotFoundException",
        "Event bus nowhere does not exist.",
    )
    assert refusal(make, **words, EventPattern='{"source": 1}')[0] == "InvalidEventPatternException"
    assert refusal(make, **words, KmsKeyIdentifier="alias/k")[0] == "ValidationException"
    code, told = refusal(stand.events.list_archives, NamePrefix="a", State="ENABLED")
    assert (code, told.startswith("At most one filter")) == ("ValidationException", True)


def test_a_replay_sends_what_was_archived_to_the_rules_of_now(stand: Stand) -> None:
    name, arn = archive(stand, EventPattern=json.dumps({"source": [stand.source],
                                                         "detail": {"keep": [True]}}))  # fmt: skip
    first = stand.put({"keep": True, "n": 1}, Time=datetime(2024, 5, 1, tzinfo=UTC))
    stand.put({"keep": False, "n": 2})
    second = stand.put({"keep": True, "n": 3}, Time=datetime(2024, 6, 1, tzinfo=UTC))
    # The rule is younger than the events.
    url = stand.queue()
    stand.rule({"Id": "q", "Arn": stand.arn(url)})
    shown = ended(stand, again := replay(stand, arn, Description="d"))
    assert (shown["State"], shown["Description"]) == ("COMPLETED", "d")
    assert shown["EventLastReplayedTime"] == datetime(2024, 6, 1, tzinfo=UTC)
    assert shown["ReplayEndTime"] >= shown["ReplayStartTime"]
    assert shown["Destination"] == {"Arn": DEFAULT_BUS}
    came = sorted(stand.bodies(url, 2), key=lambda event: event["time"])
    assert [event["id"] for event in came] == [first, second]
    assert [event["replay-name"] for event in came] == [again, again]
    assert came[0]["time"] == "2024-05-01T00:00:00Z"
    # What was sent again is not archived again.
    assert stand.events.describe_archive(ArchiveName=name)["EventCount"] == 2
    [listed] = stand.events.list_replays(NamePrefix=again)["Replays"]
    assert (listed["State"], listed["EventSourceArn"]) == ("COMPLETED", arn)


def test_a_replay_is_of_the_events_of_a_time_and_for_chosen_rules(stand: Stand) -> None:
    _, arn = archive(stand)
    times = [datetime(2024, 5, day, tzinfo=UTC) for day in (1, 2, 3)]
    names = [stand.put({}, Time=time) for time in times]
    url, other = stand.queue(), stand.queue()
    chosen = stand.rule({"Id": "q", "Arn": stand.arn(url)})
    stand.rule({"Id": "q", "Arn": stand.arn(other)})
    only = {"Destination": {"Arn": DEFAULT_BUS, "FilterArns": [chosen]}}
    limits = {"EventStartTime": times[1], "EventEndTime": times[1] + timedelta(hours=1)}
    ended(stand, replay(stand, arn, **only, **limits))
    assert [event["id"] for event in stand.bodies(url)] == [names[1]]
    # A later event proves that none of the replay is on its way to the other queue.
    mark = stand.put({"mark": True})
    assert [event["id"] for event in stand.bodies(other)] == [mark]


def test_what_cannot_be_replayed_is_refused(stand: Stand, refusal: Refusal) -> None:
    start, (own, arn) = stand.events.start_replay, archive(stand)
    bus = stand.events.create_event_bus(Name=unique("bus"))["EventBusArn"]
    words = {
        "ReplayName": unique("r"),
        "EventSourceArn": arn,
        "EventStartTime": LONG_AGO,
        "EventEndTime": LATER,
        "Destination": {"Arn": DEFAULT_BUS},
    }
    for change, told in (
        (
            {"EventSourceArn": f"{arn}x"},
            f"EventSourceArn is not valid. Reason: Archive {own}x does not exist.",
        ),
        (
            {"EventStartTime": LATER, "EventEndTime": LONG_AGO},
            "EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.",
        ),
        (
            {"Destination": {"Arn": bus}},
            "Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.",
        ),
        (
            {"Destination": {"Arn": arn}},
            "Destination.Arn is not valid. Reason: Must contain an event bus ARN.",
        ),
    ):
        assert refusal(start, **{**words, **change}) == ("ValidationException", f"Parameter {told}")
    missing = DEFAULT_BUS.replace("default", "nowhere")
    code, _ = refusal(start, **{**words, "Destination": {"Arn": missing}})
    assert code == "ResourceNotFoundException"
    name = replay(stand, arn)
    code, told = refusal(start, **{**words, "ReplayName": name})
    assert (code, told) == ("ResourceAlreadyExistsException", f"Replay {name} already exists.")
    ended(stand, name)
    code, told = refusal(stand.events.cancel_replay, ReplayName=name)
    assert code == "IllegalStatusException"
    for call in (stand.events.cancel_replay, stand.events.describe_replay):
        assert refusal(call, ReplayName="nobody") == (
            "ResourceNotFoundException",
            "Replay nobody does not exist.",
        )


def test_an_archive_is_only_for_who_may_use_it(stand: Stand, cloud: Cloud) -> None:
    name, arn = archive(stand)
    iam, user = cloud.client("iam"), unique("user")
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    allowed = {"Effect": "Allow", "Action": "events:*Archive", "Resource": arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document)
    own = cloud.client("events", key=(key["AccessKeyId"], key["SecretAccessKey"]))
    assert own.describe_archive(ArchiveName=name)["ArchiveName"] == name
    for call, words in (
        (own.delete_archive, {"ArchiveName": "another"}),
        (
            own.start_replay,
            {
                "ReplayName": "r",
                "EventSourceArn": arn,
                "EventStartTime": LONG_AGO,
                "EventEndTime": LATER,
                "Destination": {"Arn": DEFAULT_BUS},
            },
        ),
    ):
        with pytest.raises(own.exceptions.ClientError, match="AccessDenied"):
            call(**words)


def test_a_replay_goes_on_after_a_kill(new_cloud: Callable[..., Cloud]) -> None:
    cloud = new_cloud()
    stand = Stand(cloud)
    _, arn = archive(stand)
    names = [stand.put({"n": number}) for number in range(30)]
    url = stand.queue()
    stand.rule({"Id": "q", "Arn": stand.arn(url)})
    name = replay(stand, arn)
    cloud.kill()
    cloud.start()
    after = Stand(cloud)
    assert ended(after, name)["State"] == "COMPLETED"
    again = after.sqs.get_queue_url(QueueName=url.rpartition("/")[2])["QueueUrl"]
    seen: set[str] = set()
    while len(seen) < len(names):
        seen |= {event["id"] for event in after.bodies(again)}
    assert seen == set(names)


class Within:
    """An archive called `a` on a platform whose clock and workers move when told."""

    def __init__(self, inside: Inside) -> None:
        self.inside = inside
        self.clock = inside.clock

    async def make(self, **settings: Any) -> None:
        words = {"ArchiveName": "a", "EventSourceArn": DEFAULT_BUS, **settings}
        self.arn = (await self.inside.call("events", "CreateArchive", **words))["ArchiveArn"]

    async def put(self, detail: Any, times: int = 1) -> None:
        entry = {"Source": "s", "DetailType": "t", "Detail": json.dumps(detail)}
        answer = await self.inside.call("events", "PutEvents", Entries=[entry] * times)
        assert answer["FailedEntryCount"] == 0, answer

    async def count(self) -> int:
        shown = await self.inside.call("events", "DescribeArchive", ArchiveName="a")
        found: int = shown["EventCount"]
        return found

    async def start(self, name: str) -> None:
        await self.inside.call(
            "events",
            "StartReplay",
            ReplayName=name,
            EventSourceArn=self.arn,
            EventStartTime=self.clock.now() - 86_400,
            EventEndTime=self.clock.now() + 86_400,
            Destination={"Arn": DEFAULT_BUS},
        )

    async def step(self, name: str) -> tuple[str, str]:
        """Let replays go on one step; the state of one, and the reason."""
        from cumulet.services.events.archives.workers import replay_events

        await replay_events(self.inside.platform)
        shown = await self.inside.call("events", "DescribeReplay", ReplayName=name)
        return shown["State"], shown.get("StateReason", "")

    async def tidy(self) -> None:
        from cumulet.services.events.archives.workers import expire_events

        await expire_events(self.inside.platform)


def test_a_replay_of_many_events_and_of_a_large_one_sends_each_once(
    inside: Callable[..., None],
) -> None:
    from cumulet.services.events.delivery import EventDeliveries

    async def story(stand: Inside) -> None:
        url, arn = await stand.queue(opened("events.amazonaws.com"))
        within = Within(stand)
        await within.make()
        # An event of nearly a megabyte lies in several records, and comes whole. With the others
        # there is more than one step of a replay reads.
        large = {"text": "x" * 900_000}
        await within.put(large)
        for _ in range(MANY // 10):
            await within.put({}, 10)
        pattern = json.dumps({"source": ["s"]})
        await stand.call("events", "PutRule", Name="r", EventPattern=pattern)
        await stand.call("events", "PutTargets", Rule="r", Targets=[{"Id": "q", "Arn": arn}])
        await within.start("one")
        assert await within.step("one") == ("RUNNING", "")
        assert await within.step("one") == ("COMPLETED", "")
        await stand.settle(EventDeliveries)
        came: list[Any] = []
        while more := await stand.messages(url):
            came += more
        assert len({event["id"] for event in came}) == len(came) == MANY + 1
        assert large in [event["detail"] for event in came]

    inside(story)


def test_a_replay_may_be_cancelled_and_fails_without_its_archive(
    inside: Callable[..., None],
) -> None:
    async def story(stand: Inside) -> None:
        within = Within(stand)
        await within.make()
        await within.put({})
        await within.start("one")
        answer = await stand.call("events", "CancelReplay", ReplayName="one")
        assert answer["State"] == "CANCELLING"
        assert await within.step("one") == ("CANCELLED", "")
        await within.start("two")
        await stand.call("events", "DeleteArchive", ArchiveName="a")
        assert await within.step("two") == ("FAILED", "Archive a does not exist.")
        await within.clock.advance(89 * 86_400)
        await within.tidy()
        assert len((await stand.call("events", "ListReplays"))["Replays"]) == 2
        await within.clock.advance(2 * 86_400)
        await within.tidy()
        assert (await stand.call("events", "ListReplays"))["Replays"] == []

    inside(story)


def test_what_has_been_kept_for_its_days_is_removed(inside: Callable[..., None]) -> None:
    async def story(stand: Inside) -> None:
        within = Within(stand)
        await within.make(RetentionDays=2)
        await within.put({"n": 1})
        await within.put({"text": "x" * 900_000})
        await within.clock.advance(86_400)
        await within.put({"n": 2})
        await within.tidy()
        assert await within.count() == 3
        await within.clock.advance(86_400 + 1)
        await within.tidy()
        assert await within.count() == 1
        shown = await stand.call("events", "DescribeArchive", ArchiveName="a")
        assert 0 < shown["SizeBytes"] < 1000

    inside(story)
