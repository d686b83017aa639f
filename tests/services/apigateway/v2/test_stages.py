"""Stages and deployments of HTTP and WebSocket APIs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html
"""

from __future__ import annotations

import pytest
from tests.services.apigateway.conftest import refused

LOGS = {
    "DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:x",
    "Format": "$context.requestId",
}


def test_a_stage_is_made_changed_and_removed(v2, made):
    api = made()["ApiId"]
    stage = v2.create_stage(
        ApiId=api,
        StageName="prod",
        StageVariables={"a": "1", "b": "2"},
        DefaultRouteSettings={"ThrottlingRateLimit": 10.5, "ThrottlingBurstLimit": 3},
        AccessLogSettings=LOGS,
    )
    assert stage["AutoDeploy"] is False
    assert stage["DefaultRouteSettings"] == {
        "DetailedMetricsEnabled": False,
        "ThrottlingRateLimit": 10.5,
        "ThrottlingBurstLimit": 3,
    }
    with refused("ConflictException", "Stage already exists"):
        v2.create_stage(ApiId=api, StageName="prod")
    place = {"ApiId": api, "StageName": "prod"}
    changed = v2.update_stage(**place, StageVariables={"a": "", "c": "3"}, Description="d")
    assert changed["StageVariables"] == {"b": "2", "c": "3"}
    v2.delete_access_log_settings(**place)
    got = v2.get_stage(**place)
    assert "AccessLogSettings" not in got
    assert got["Description"] == "d"
    assert [one["StageName"] for one in v2.get_stages(ApiId=api)["Items"]] == ["prod"]
    v2.reset_authorizers_cache(**place)
    v2.delete_stage(**place)
    with refused("NotFoundException", "Invalid stage identifier specified"):
        v2.get_stage(**place)


@pytest.mark.parametrize(
    "settings",
    [
        {"StageName": "a b"},
        {"StageName": "$other"},
        {"StageVariables": {"a-b": "1"}},
        {"StageVariables": {"a": "<"}},
        {"DefaultRouteSettings": {"LoggingLevel": "INFO"}},
        {"DefaultRouteSettings": {"DataTraceEnabled": True}},
        {"DefaultRouteSettings": {"ThrottlingRateLimit": -1}},
        {"AccessLogSettings": {**LOGS, "Format": "no id"}},
        {"AccessLogSettings": {**LOGS, "DestinationArn": "arn:aws:s3:::b"}},
        {"AccessLogSettings": {**LOGS, "DestinationArn": "arn:aws:firehose:us-east-1:0:d/x"}},
        {"ClientCertificateId": "abc"},
        {"AutoDeploy": True, "DeploymentId": "abcdef"},
    ],
    ids=str,
)
def test_stages_that_cannot_be_served_are_refused(v2, made, settings):
    with refused("BadRequestException"):
        v2.create_stage(**{"ApiId": made()["ApiId"], "StageName": "s", **settings})


def test_a_websocket_stage_has_execution_logs_and_no_default(v2, made):
    api = made("WEBSOCKET")["ApiId"]
    with refused("BadRequestException"):
        v2.create_stage(ApiId=api, StageName="$default")
    stage = v2.create_stage(ApiId=api, StageName="s", DefaultRouteSettings={"LoggingLevel": "INFO"})
    assert stage["DefaultRouteSettings"]["LoggingLevel"] == "INFO"


def test_settings_of_routes_need_their_routes(v2, http_api):
    key = "GET /x"
    place = {"ApiId": http_api.id, "StageName": "$default"}
    said = f"Unable to find Route by key {key} within the provided RouteSettings"
    with refused("NotFoundException", said):
        v2.update_stage(**place, RouteSettings={key: {"ThrottlingBurstLimit": 1}})
    http_api.route(key, http_api.http("http://127.0.0.1:1/"))
    v2.update_stage(**place, RouteSettings={key: {"ThrottlingBurstLimit": 1}})
    assert v2.get_stage(**place)["RouteSettings"] == {key: {"ThrottlingBurstLimit": 1}}
    v2.delete_route_settings(**place, RouteKey=key)
    assert v2.get_stage(**place)["RouteSettings"] == {}
    with refused("NotFoundException", said):
        v2.delete_route_settings(**place, RouteKey=key)


def test_a_stage_that_deploys_by_itself_follows_every_change(v2, http_api):
    place = {"ApiId": http_api.id, "StageName": "$default"}
    first = v2.get_stage(**place)
    assert first["LastDeploymentStatusMessage"] == (
        "Deployment attempt failed: Unable to deploy API because no routes exist in this API"
    )
    http_api.route("GET /x", http_api.http("http://127.0.0.1:1/"))
    second = v2.get_stage(**place)["DeploymentId"]
    [deployment] = v2.get_deployments(ApiId=http_api.id)["Items"]
    assert (deployment["DeploymentId"], deployment["AutoDeployed"]) == (second, True)
    v2.create_route(ApiId=http_api.id, RouteKey="GET /y")
    third = v2.get_stage(**place)["DeploymentId"]
    assert third != second
    assert [d["DeploymentId"] for d in v2.get_deployments(ApiId=http_api.id)["Items"]] == [third]
    with refused("BadRequestException"):
        v2.create_deployment(ApiId=http_api.id, StageName="$default")
    v2.update_stage(**place, AutoDeploy=False)
    v2.create_route(ApiId=http_api.id, RouteKey="GET /z")
    assert v2.get_stage(**place)["DeploymentId"] == third


def test_a_deployment_is_made_for_a_stage_and_kept_while_it_serves(v2, made):
    api = made()["ApiId"]
    with refused("BadRequestException", "Unable to deploy API because no routes exist in this API"):
        v2.create_deployment(ApiId=api)
    v2.create_route(ApiId=api, RouteKey="GET /x")
    v2.create_stage(ApiId=api, StageName="s")
    one = v2.create_deployment(ApiId=api, StageName="s", Description="first")
    assert (one["AutoDeployed"], one["DeploymentStatus"]) == (False, "DEPLOYED")
    place = {"ApiId": api, "DeploymentId": one["DeploymentId"]}
    assert v2.get_stage(ApiId=api, StageName="s")["DeploymentId"] == one["DeploymentId"]
    assert v2.update_deployment(**place, Description="d")["Description"] == "d"
    assert v2.get_deployment(**place)["Description"] == "d"
    with refused("BadRequestException"):
        v2.delete_deployment(**place)
    two = v2.create_deployment(ApiId=api)["DeploymentId"]
    v2.update_stage(ApiId=api, StageName="s", DeploymentId=two)
    v2.delete_deployment(**place)
    with refused("NotFoundException"):
        v2.get_deployment(**place)
    with refused("NotFoundException"):
        v2.update_stage(ApiId=api, StageName="s", DeploymentId=one["DeploymentId"])
    with refused("NotFoundException"):
        v2.create_deployment(ApiId=api, StageName="other")


def test_a_websocket_api_without_routes_is_not_deployed(v2, made):
    said = "At least one route is required before deploying the Api."
    with refused("BadRequestException", said):
        v2.create_deployment(ApiId=made("WEBSOCKET")["ApiId"])
