"""What was answered is delivered, whatever happens to the cloud in between."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.conftest import Cloud
from tests.services.sns.conftest import Endpoint, Stand

COUNT = 60


def test_deliveries_survive_a_kill_in_a_storm_of_publishes(
    new_cloud: Callable[..., Cloud], endpoint: Endpoint
) -> None:
    cloud = new_cloud()
    stand = Stand(cloud)
    topic, ordered = stand.topic(), stand.topic(fifo=True, ContentBasedDeduplication="true")
    plain, fifo = stand.queue(topic), stand.queue(ordered, fifo=True)
    stand.subscribe(topic, plain, RawMessageDelivery="true")
    stand.subscribe(ordered, fifo, RawMessageDelivery="true")
    # An endpoint that is out of order must not keep the others from theirs.
    stand.sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint.url)
    token = json.loads(endpoint.wait(1)[0][1])["Token"]
    stand.sns.confirm_subscription(TopicArn=topic, Token=token)
    endpoint.statuses = [503] * 10_000
    for number in range(COUNT):
        stand.sns.publish(TopicArn=topic, Message=f"p{number}")
        stand.sns.publish(TopicArn=ordered, Message=f"f{number}", MessageGroupId="g")
    cloud.kill()
    cloud.start()
    again = Stand(cloud)
    names = [url.rpartition("/")[2] for url in (plain, fifo)]
    urls = [again.sqs.get_queue_url(QueueName=name)["QueueUrl"] for name in names]
    seen: set[str] = set()
    while len(seen) < COUNT:
        seen |= {message["Body"] for message in again.take(urls[0])}
    assert seen == {f"p{number}" for number in range(COUNT)}
    order = [message["Body"] for message in again.take(urls[1], COUNT)]
    assert order == [f"f{number}" for number in range(COUNT)]
