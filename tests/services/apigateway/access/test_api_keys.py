"""API keys: create, list, change, delete, import.

https://docs.aws.amazon.com/apigateway/latest/api/API_ApiKey.html
"""

from __future__ import annotations

import pytest
from tests.services.apigateway.access.conftest import unique
from tests.services.apigateway.conftest import refused


def test_a_key_lives(client, made):
    name = unique("key")
    key = made.key(name=name, description="d", customerId="c-1", tags={"a": "b"})
    assert key["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert len(key["value"]) == 40
    assert (key["enabled"], key["stageKeys"]) == (True, [])
    shown = client.get_api_key(apiKey=key["id"])
    assert "value" not in shown
    assert (shown["name"], shown["description"], shown["customerId"]) == (name, "d", "c-1")
    assert shown["tags"] == {"a": "b"}
    assert shown["createdDate"] == key["createdDate"]
    assert client.get_api_key(apiKey=key["id"], includeValue=True)["value"] == key["value"]
    changed = client.update_api_key(
        apiKey=key["id"],
        patchOperations=[
            {"op": "replace", "path": "/enabled", "value": "false"},
            {"op": "replace", "path": "/name", "value": name + "x"},
            {"op": "remove", "path": "/description"},
        ],
    )
    assert (changed["enabled"], changed["name"]) == (False, name + "x")
    assert "description" not in changed
    client.delete_api_key(apiKey=key["id"])
    for act in (client.get_api_key, client.delete_api_key):
        with refused("NotFoundException", "Invalid API Key identifier specified"):
            act(apiKey=key["id"])


def test_a_key_is_disabled_unless_told(client, made):
    answer = client.create_api_key(name=unique("key"))
    made.keys.append(answer["id"])
    assert answer["enabled"] is False


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (19, "API Key value should be at least 20 characters"),
        (129, "API Key value exceeds maximum size of 128 characters"),
    ],
)
def test_values_have_bounds(client, length, words):
    with refused("BadRequestException", words):
        client.create_api_key(name="k", value="v" * length)


def test_a_value_is_given_once_and_an_empty_one_is_generated(client, made):
    value = unique("a-value-of-my-own-that-is-long")
    assert made.key(value=value)["value"] == value
    with refused("ConflictException", "API Key already exists"):
        client.create_api_key(name="again", value=value)
    assert len(made.key(value="")["value"]) == 40


def test_what_a_key_cannot_be_is_refused(client):
    with refused("BadRequestException"):
        client.create_api_key(name="k", value="with a space in its value")
    with refused("BadRequestException"):
        client.create_api_key(name="k", generateDistinctId=False)
    with refused("BadRequestException", "Invalid stage identifier specified: nothere/prod"):
        client.create_api_key(name="k", stageKeys=[{"restApiId": "nothere", "stageName": "prod"}])
    with refused("BadRequestException"):
        client.create_api_key(name="k", tags={"aws:mine": "x"})


def test_stage_keys_are_kept_and_shown(client, api, made):
    api.mock("GET")
    api.deploy()
    key = made.key(stageKeys=[{"restApiId": api.id, "stageName": "prod"}])
    assert key["stageKeys"] == [f"{api.id}/prod"]
    changed = client.update_api_key(
        apiKey=key["id"],
        patchOperations=[{"op": "remove", "path": "/stages", "value": f"{api.id}/prod"}],
    )
    assert changed["stageKeys"] == []


def test_keys_are_listed_by_the_beginning_of_their_names(client, made):
    prefix = unique("list")
    ids = {made.key(name=f"{prefix}-{n}", customerId=f"{prefix}-{n % 2}")["id"] for n in range(5)}
    found, position = set(), {}
    while True:
        page = client.get_api_keys(nameQuery=prefix, limit=2, **position)
        assert all("value" not in one for one in page["items"])
        found |= {one["id"] for one in page["items"]}
        if "position" not in page:
            break
        position = {"position": page["position"]}
    assert found == ids
    assert client.get_api_keys(nameQuery=prefix[1:])["items"] == []
    mine = client.get_api_keys(customerId=f"{prefix}-1", includeValues=True)["items"]
    assert [len(one["value"]) for one in mine] == [40, 40]


def test_keys_are_imported_from_a_file(client, made):
    plan, name = made.plan()["id"], unique("imported")
    value = unique("value-of-an-imported-key")
    file = (
        "Name,key,description,Enabled,usageplanIds\n"
        f'{name},{value},"one, two",TRUE,"{plan},none"\n'
        f"{name}-2,{value}-2,,false,\n"
        f"{name}-3,short,,true,\n"
    )
    answer = client.import_api_keys(body=file.encode(), format="csv")
    made.keys += answer["ids"]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert answer["warnings"] == [
        f"{name}: Invalid Usage Plan ID specified: none",
        f"{name}-3: API Key value should be at least 20 characters",
    ]
    first, second = (client.get_api_key(apiKey=one, includeValue=True) for one in answer["ids"])
    assert (first["value"], first["description"], first["enabled"]) == (value, "one, two", True)
    assert (second["value"], second["enabled"]) == (f"{value}-2", False)
    keys = client.get_usage_plan_keys(usagePlanId=plan)["items"]
    assert [one["id"] for one in keys] == [first["id"]]
    again = client.import_api_keys(body=file.encode(), format="csv")
    assert again["ids"] == []


def test_an_import_is_undone_when_warnings_are_failures(client):
    name = unique("undone")
    file = f"name,key\n{name},{unique('a-value-of-an-undone-key')}\n{name},short\n"
    with refused("BadRequestException"):
        client.import_api_keys(body=file.encode(), format="csv", failOnWarnings=True)
    assert client.get_api_keys(nameQuery=name)["items"] == []


@pytest.mark.parametrize(
    "body", [b"", b"name\nx\n", b"name,key,shoe\n", b'name,key\n"x', b"\xff\xfe"]
)
def test_a_file_that_is_none_is_refused(client, body):
    with refused("BadRequestException"):
        client.import_api_keys(body=body, format="csv")


def test_keys_and_plans_have_tags(client, made):
    key, plan = made.key()["id"], made.plan()["id"]
    for path in (f"/apikeys/{key}", f"/usageplans/{plan}"):
        arn = f"arn:aws:apigateway:us-east-1::{path}"
        client.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
        client.untag_resource(resourceArn=arn, tagKeys=["a"])
        assert client.get_tags(resourceArn=arn)["tags"] == {"b": "2"}
    assert client.get_api_key(apiKey=key)["tags"] == {"b": "2"}
    with refused("NotFoundException", "Invalid API Key identifier specified"):
        client.get_tags(resourceArn="arn:aws:apigateway:us-east-1::/apikeys/none")
