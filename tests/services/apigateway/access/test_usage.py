"""What keys use of their plans: exact among many requests at once, and over a power cut.

https://docs.aws.amazon.com/apigateway/latest/api/API_GetUsage.html
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from tests.services.apigateway.access.conftest import Made
from tests.services.apigateway.conftest import Api, refused

EXCEEDED = {"message": "Limit Exceeded"}


def today(days: int = 0) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def keyed(api):
    api.mock("GET", apiKeyRequired=True)
    api.deploy()


def called(api, value, times=1, workers=8):
    """The status codes of so many requests, several at once."""
    with ThreadPoolExecutor(workers) as pool:
        answers = pool.map(
            lambda _: api.call("GET", "/", headers={"X-Api-Key": value}), range(times)
        )
        return [answer.status for answer in answers]


def used(client, plan, key):
    answer = client.get_usage(usagePlanId=plan, keyId=key, startDate=today(), endDate=today())
    return answer["items"][key][-1]


def test_parallel_requests_get_exactly_the_quota(client, api, made):
    keyed(api)
    plan, key, value = made.opened(api, quota={"limit": 60, "period": "MONTH"})
    statuses = called(api, value, 150, workers=16)
    assert (statuses.count(200), statuses.count(429)) == (60, 90)
    assert used(client, plan, key) == [60, 0]
    refusal = api.call("GET", "/", headers={"X-Api-Key": value})
    assert (refusal.status, refusal.json) == (429, EXCEEDED)
    assert refusal.headers["x-amzn-ErrorType"] == "LimitExceededException"


def test_what_is_left_can_be_corrected(client, api, made):
    keyed(api)
    plan, key, value = made.opened(api, quota={"limit": 5, "period": "DAY"})
    assert called(api, value, 6, workers=1) == [200] * 5 + [429]
    answer = client.update_usage(
        usagePlanId=plan,
        keyId=key,
        patchOperations=[{"op": "replace", "path": "/remaining", "value": "2"}],
    )
    assert answer["items"][key] == [[5, 2]]
    assert called(api, value, 4, workers=1) == [200, 200, 429, 429]
    assert used(client, plan, key) == [7, 0]


def test_each_key_has_a_quota_of_its_own_and_days_are_listed(client, api, made):
    keyed(api)
    plan, first, value = made.opened(api, quota={"limit": 10, "period": "DAY"})
    second = made.key()
    client.create_usage_plan_key(usagePlanId=plan, keyId=second["id"], keyType="API_KEY")
    called(api, value, 3)
    called(api, second["value"], 1)
    answer = client.get_usage(usagePlanId=plan, startDate=today(-1), endDate=today())
    assert answer["items"] == {first: [[0, 10], [3, 7]], second["id"]: [[0, 10], [1, 9]]}
    assert (answer["startDate"], answer["endDate"]) == (today(-1), today())
    page = client.get_usage(usagePlanId=plan, startDate=today(), endDate=today(), limit=1)
    rest = client.get_usage(
        usagePlanId=plan, startDate=today(), endDate=today(), position=page["position"]
    )
    assert {*page["items"], *rest["items"]} == {first, second["id"]}


def test_a_changed_quota_counts_at_once(client, api, made):
    keyed(api)
    plan, key, value = made.opened(api, quota={"limit": 2, "period": "DAY"})
    assert called(api, value, 3, workers=1) == [200, 200, 429]
    client.update_usage_plan(
        usagePlanId=plan,
        patchOperations=[{"op": "replace", "path": "/quota/limit", "value": "3"}],
    )
    assert used(client, plan, key) == [2, 1]
    assert called(api, value, 2, workers=1) == [200, 429]
    assert used(client, plan, key) == [3, 0]


def test_uses_of_a_plan_without_a_quota_are_counted(client, api, made):
    keyed(api)
    plan, key, value = made.opened(api)
    called(api, value, 3)
    assert used(client, plan, key) == [3, -1]
    with refused("BadRequestException", "The usage plan has no quota"):
        client.update_usage(
            usagePlanId=plan,
            keyId=key,
            patchOperations=[{"op": "replace", "path": "/remaining", "value": "2"}],
        )


@pytest.mark.parametrize(
    ("begin", "end"),
    [("yesterday", today()), (today(), today(-1)), (today(-90), today())],
)
def test_days_that_cannot_be_asked_for(client, made, begin, end):
    plan = made.plan()["id"]
    with refused("BadRequestException"):
        client.get_usage(usagePlanId=plan, startDate=begin, endDate=end)


def test_a_quota_survives_a_power_cut(new_cloud):
    cloud = new_cloud()
    client = cloud.client("apigateway")
    made = client.create_rest_api(name="cut")
    api = Api(client, cloud.endpoint, made["id"], made["rootResourceId"])
    keyed(api)
    plan, key, value = Made(client).opened(api, quota={"limit": 40, "period": "MONTH"})
    passed = called(api, value, 25).count(200)
    cloud.kill()
    cloud.start()
    client = cloud.client("apigateway")
    api = Api(client, cloud.endpoint, api.id, api.root)
    assert used(client, plan, key) == [25, 15]
    passed += called(api, value, 60).count(200)
    assert passed == 40


def test_a_throttle_lets_through_what_its_bucket_does(client, api, made):
    keyed(api)
    _, _, value = made.opened(api, throttle={"rateLimit": 20, "burstLimit": 10})
    headers = {"X-Api-Key": value}
    begin, passed, refusal = time.monotonic(), 0, None
    while (spent := time.monotonic() - begin) < 1.5:
        answer = api.call("GET", "/", headers=headers)
        passed += answer.status == 200
        refusal = answer if answer.status == 429 else refusal
    assert abs(passed - (10 + 20 * spent)) <= 2
    assert refusal is not None
    assert refusal.json == {"message": "Too Many Requests"}
    assert refusal.headers["x-amzn-ErrorType"] == "TooManyRequestsException"
