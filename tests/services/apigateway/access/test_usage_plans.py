"""Usage plans and their keys: create, list, change, delete.

https://docs.aws.amazon.com/apigateway/latest/api/API_UsagePlan.html
"""

from __future__ import annotations

import pytest
from tests.services.apigateway.access.conftest import unique
from tests.services.apigateway.conftest import refused


@pytest.fixture
def stage(api):
    api.mock("GET", "pets")
    api.deploy()
    return f"{api.id}:prod"


def patched(client, plan, *operations):
    return client.update_usage_plan(
        usagePlanId=plan,
        patchOperations=[
            {"op": op, "path": path, **({} if value is None else {"value": value})}
            for op, path, value in operations
        ],
    )


def test_a_plan_lives(client, made, stage, api):
    plan = made.plan(
        stage,
        description="d",
        throttle={"rateLimit": 10.5, "burstLimit": 20},
        quota={"limit": 100, "period": "WEEK", "offset": 2},
        tags={"a": "b"},
    )
    one = {"usagePlanId": plan["id"]}
    shown = client.get_usage_plan(**one)
    assert shown["apiStages"] == [{"apiId": api.id, "stage": "prod"}]
    assert shown["throttle"] == {"rateLimit": 10.5, "burstLimit": 20}
    assert shown["quota"] == {"limit": 100, "period": "WEEK", "offset": 2}
    assert (shown["description"], shown["tags"]) == ("d", {"a": "b"})
    changed = patched(
        client,
        plan["id"],
        ("replace", "/name", "n"),
        ("replace", "/throttle/rateLimit", "5"),
        ("remove", "/quota", None),
        ("add", "/productCode", "p"),
    )
    assert (changed["name"], changed["productCode"]) == ("n", "p")
    assert changed["throttle"] == {"rateLimit": 5.0, "burstLimit": 20}
    assert "quota" not in changed
    with refused(
        "BadRequestException",
        f"Cannot delete usage plan {plan['id']} because it has API stages associated with it",
    ):
        client.delete_usage_plan(**one)
    patched(client, plan["id"], ("remove", "/apiStages", stage))
    client.delete_usage_plan(**one)
    with refused("NotFoundException", "Invalid Usage Plan ID specified"):
        client.get_usage_plan(**one)


def test_throttles_of_methods_are_patched_with_slashes_as_they_come(client, made, stage):
    plan = made.plan(stage, throttle={"rateLimit": 10, "burstLimit": 20})["id"]
    changed = patched(
        client,
        plan,
        ("replace", f"/apiStages/{stage}/throttle//pets/GET/rateLimit", "2"),
        ("replace", f"/apiStages/{stage}/throttle//pets/GET/burstLimit", "3"),
        ("add", f"/apiStages/{stage}/throttle/~1pets~1{{id}}/PUT/rateLimit", "4.5"),
    )
    assert changed["apiStages"][0]["throttle"] == {
        "/pets/GET": {"rateLimit": 2.0, "burstLimit": 3},
        "/pets/{id}/PUT": {"rateLimit": 4.5, "burstLimit": 0},
    }
    changed = patched(client, plan, ("remove", f"/apiStages/{stage}/throttle//pets/GET", None))
    assert list(changed["apiStages"][0]["throttle"]) == ["/pets/{id}/PUT"]
    changed = patched(client, plan, ("remove", f"/apiStages/{stage}/throttle", None))
    assert not changed["apiStages"][0].get("throttle")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"quota": {"limit": 1, "period": "DAY", "offset": 1}},
            "Usage Plan quota offset must be zero in the DAY period",
        ),
        (
            {"quota": {"limit": 1, "period": "WEEK", "offset": 7}},
            "Usage Plan quota offset must be between 0 and 6 inclusive in the WEEK period",
        ),
        (
            {"quota": {"limit": 1, "period": "MONTH", "offset": 28}},
            "Usage Plan quota offset must be between 0 and 27 inclusive in the MONTH period",
        ),
        ({"quota": {"limit": 1}}, "Usage Plan quota must have a limit and a period"),
        ({"throttle": {"rateLimit": -1, "burstLimit": 1}}, ""),
        ({"name": " "}, "Usage Plan name cannot be blank"),
    ],
)
def test_what_cannot_be_a_plan_is_refused(client, settings, words):
    with refused("BadRequestException", words):
        client.create_usage_plan(**{"name": "p", **settings})


def test_the_stages_of_a_plan_must_exist(client, made, stage):
    with refused("NotFoundException", "API Stage not found: nothere:prod"):
        made.plan("nothere:prod")
    plan = made.plan()["id"]
    with refused("NotFoundException", "API Stage not found: nothere:prod"):
        patched(client, plan, ("add", "/apiStages", "nothere:prod"))
    assert len(patched(client, plan, ("add", "/apiStages", stage))["apiStages"]) == 1
    with refused("NotFoundException"):
        patched(client, plan, ("remove", "/apiStages", "nothere:prod"))
    with refused("BadRequestException"):
        patched(client, plan, ("replace", "/colour", "red"))


def test_keys_go_into_plans_and_out(client, made, stage):
    plan, key = made.plan(stage)["id"], made.key()
    one = {"usagePlanId": plan, "keyId": key["id"]}
    added = client.create_usage_plan_key(**one, keyType="API_KEY")
    assert added["ResponseMetadata"]["HTTPStatusCode"] == 201
    expected = {
        "id": key["id"],
        "type": "API_KEY",
        "value": key["value"],
        "name": key["name"],
    }
    found = client.get_usage_plan_key(**one)
    assert {name: found[name] for name in expected} == expected
    assert client.get_usage_plan_keys(usagePlanId=plan)["items"] == [expected]
    assert client.get_usage_plan_keys(usagePlanId=plan, nameQuery="other")["items"] == []
    assert [p["id"] for p in client.get_usage_plans(keyId=key["id"])["items"]] == [plan]
    with refused("ConflictException", "Usage Plan Key already exists"):
        client.create_usage_plan_key(**one, keyType="API_KEY")
    second = made.plan(stage)["id"]
    with refused("ConflictException"):
        client.create_usage_plan_key(usagePlanId=second, keyId=key["id"], keyType="API_KEY")
    client.delete_usage_plan_key(**one)
    for act in (client.get_usage_plan_key, client.delete_usage_plan_key):
        with refused("NotFoundException", "Invalid Usage Plan Key identifier specified"):
            act(**one)


def test_what_cannot_be_a_plans_key_is_refused(client, made):
    plan, key = made.plan()["id"], made.key()["id"]
    with refused("BadRequestException"):
        client.create_usage_plan_key(usagePlanId=plan, keyId=key, keyType="HOUSE_KEY")
    with refused("NotFoundException", "Invalid API Key identifier specified"):
        client.create_usage_plan_key(usagePlanId=plan, keyId="none", keyType="API_KEY")
    with refused("NotFoundException", "Invalid Usage Plan ID specified"):
        client.create_usage_plan_key(usagePlanId="none", keyId=key, keyType="API_KEY")


def test_plans_are_listed_a_page_at_a_time(client, made):
    ids = {made.plan(name=unique("page"))["id"] for _ in range(4)}
    found, position = set(), {}
    while True:
        page = client.get_usage_plans(limit=3, **position)
        found |= {one["id"] for one in page["items"]}
        if "position" not in page:
            break
        position = {"position": page["position"]}
    assert ids <= found


def test_a_removed_key_leaves_its_plans(client, made, stage):
    plan, key = made.plan(stage)["id"], made.key()["id"]
    client.create_usage_plan_key(usagePlanId=plan, keyId=key, keyType="API_KEY")
    client.delete_api_key(apiKey=key)
    assert client.get_usage_plan_keys(usagePlanId=plan)["items"] == []


def test_the_accounts_throttle_is_shown(client):
    shown = client.get_account()
    assert shown["throttleSettings"] == {"burstLimit": 5000, "rateLimit": 10000.0}
    assert shown["features"] == ["UsagePlans"]
