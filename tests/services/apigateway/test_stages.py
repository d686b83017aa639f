"""Deployments and stages: copies that do not change, and pointers that do.

https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-deploy-api.html
"""

from __future__ import annotations

import pytest
from tests.services.apigateway.conftest import refused


def test_an_api_without_methods_or_integrations_is_not_deployed(client, api):
    with refused("BadRequestException", "The REST API doesn't contain any methods"):
        api.deploy()
    api.method("GET")
    with refused("BadRequestException", "No integration defined for method"):
        api.deploy()


def test_a_deployment_does_not_change_with_the_api(client, api):
    api.mock("GET", template='"one"')
    first = api.deploy()
    assert api.call("GET", "/").body == b'"one"'
    client.put_integration_response(
        restApiId=api.id,
        resourceId=api.root,
        httpMethod="GET",
        statusCode="200",
        responseTemplates={"application/json": '"two"'},
    )
    api.mock("GET", "late")
    assert api.call("GET", "/").body == b'"one"'
    assert api.call("GET", "/late").status == 403
    second = api.deploy()
    assert api.call("GET", "/").body == b'"two"'
    assert api.call("GET", "/late").status == 200
    client.update_stage(
        restApiId=api.id,
        stageName="prod",
        patchOperations=[{"op": "replace", "path": "/deploymentId", "value": first}],
    )
    assert api.call("GET", "/").body == b'"one"'
    assert {one["id"] for one in client.get_deployments(restApiId=api.id)["items"]} == {
        first,
        second,
    }


def test_a_deployment_can_be_summarised_described_and_removed(client, api):
    api.mock("GET", "a")
    made = client.create_deployment(restApiId=api.id, description="d")
    one = {"restApiId": api.id, "deploymentId": made["id"]}
    found = client.get_deployment(**one, embed=["apisummary"])
    assert found["description"] == "d"
    assert found["apiSummary"] == {
        "/a": {"GET": {"authorizationType": "NONE", "apiKeyRequired": False}}
    }
    changed = client.update_deployment(
        **one, patchOperations=[{"op": "replace", "path": "/description", "value": "e"}]
    )
    assert changed["description"] == "e"
    client.create_stage(restApiId=api.id, stageName="s", deploymentId=made["id"])
    with refused(
        "BadRequestException",
        "Active stages pointing to this deployment must be moved or deleted",
    ):
        client.delete_deployment(**one)
    client.delete_stage(restApiId=api.id, stageName="s")
    client.delete_deployment(**one)
    with refused("NotFoundException", "Invalid Deployment identifier specified"):
        client.get_deployment(**one)


def test_a_stage_lives(client, api):
    api.mock("GET", template='"$stageVariables.v"')
    deployment = client.create_deployment(restApiId=api.id)["id"]
    made = client.create_stage(
        restApiId=api.id,
        stageName="dev",
        deploymentId=deployment,
        description="d",
        variables={"v": "1"},
        tracingEnabled=True,
        tags={"t": "x"},
    )
    for member in ("ResponseMetadata", "createdDate", "lastUpdatedDate"):
        del made[member]
    assert made == {
        "deploymentId": deployment,
        "stageName": "dev",
        "description": "d",
        "cacheClusterEnabled": False,
        "cacheClusterStatus": "NOT_AVAILABLE",
        "methodSettings": {},
        "variables": {"v": "1"},
        "tracingEnabled": True,
        "tags": {"t": "x"},
    }
    assert api.call("GET", "/", stage="dev").body == b'"1"'
    client.update_stage(
        restApiId=api.id,
        stageName="dev",
        patchOperations=[
            {"op": "replace", "path": "/variables/v", "value": "2"},
            {"op": "add", "path": "/variables/w", "value": "3"},
        ],
    )
    assert api.call("GET", "/", stage="dev").body == b'"2"'
    assert len(client.get_stages(restApiId=api.id, deploymentId=deployment)["item"]) == 1
    assert client.get_stages(restApiId=api.id, deploymentId="none")["item"] == []
    with refused("ConflictException", "Stage already exists"):
        client.create_stage(restApiId=api.id, stageName="dev", deploymentId=deployment)
    client.delete_stage(restApiId=api.id, stageName="dev")
    with refused("NotFoundException", "Invalid stage identifier specified"):
        client.get_stage(restApiId=api.id, stageName="dev")
    assert api.call("GET", "/", stage="dev").json == {"message": "Forbidden"}


def test_what_is_not_served_yet_is_refused_in_a_stage(client, api):
    api.mock("GET")
    deployment = client.create_deployment(restApiId=api.id)["id"]
    with refused("BadRequestException"):
        client.create_stage(
            restApiId=api.id, stageName="dev", deploymentId=deployment, documentationVersion="1"
        )


@pytest.mark.parametrize("name", ["a b", "a/b", "", "a.b"])
def test_names_that_a_stage_may_not_have(api, name):
    api.mock("GET")
    if name:
        with refused("BadRequestException", "Stage name only allows a-zA-Z0-9_-"):
            api.deploy(name)


def test_a_stage_survives_a_power_cut(new_cloud):
    from tests.services.apigateway.conftest import Api

    cloud = new_cloud()
    client = cloud.client("apigateway")
    made = client.create_rest_api(name="x")
    api = Api(client, cloud.endpoint, made["id"], made["rootResourceId"])
    api.mock("GET", "a", template='"kept"')
    api.deploy()
    cloud.kill()
    cloud.start()
    api.endpoint = cloud.endpoint
    assert api.call("GET", "/a").body == b'"kept"'
