"""Stages with all their settings, canaries and gateway responses from templates.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-stage.html
"""

from __future__ import annotations

import urllib.error
import urllib.request
import uuid

import pytest
from tests.services.apigateway.test_resources import stack, template

__all__ = ["stack"]


def full(arn, line):
    """A template with a stage that has all settings, and a gateway response."""
    first = template(
        '"x"',
        "D1",
        AccessLogSetting={"DestinationArn": arn, "Format": line},
        CacheClusterEnabled=True,
        CacheClusterSize="0.5",
        TracingEnabled=True,
        MethodSettings=[
            {"ResourcePath": "/~1pets", "HttpMethod": "GET", "CacheTtlInSeconds": 7},
            {
                "ResourcePath": "/*",
                "HttpMethod": "*",
                "LoggingLevel": "INFO",
                "DataTraceEnabled": False,
                "MetricsEnabled": True,
                "ThrottlingBurstLimit": 5,
                "ThrottlingRateLimit": 2.5,
                "CachingEnabled": True,
            },
        ],
        CanarySetting={
            "PercentTraffic": 10,
            "DeploymentId": {"Ref": "D1"},
            "StageVariableOverrides": {"v": "1", "w": "2"},
            "UseStageCache": True,
        },
        Tags=[{"Key": "a", "Value": "b"}],
    )
    first["Resources"]["Refusal"] = {
        "Type": "AWS::ApiGateway::GatewayResponse",
        "Properties": {
            "RestApiId": {"Ref": "Api"},
            "ResponseType": "MISSING_AUTHENTICATION_TOKEN",
            "StatusCode": "404",
            "ResponseParameters": {"gatewayresponse.header.X-Lost": "'yes'"},
            "ResponseTemplates": {"application/json": '{"lost": true}'},
        },
    }
    first["Resources"]["D1"]["DependsOn"] = ["Get", "Refusal"]
    return first


def test_a_stage_with_all_its_settings(cloud, stack, role):
    client, logs = cloud.client("apigateway"), cloud.client("logs")
    client.update_account(
        patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": role("logs:*")}]
    )
    group = f"access-{uuid.uuid4().hex[:10]}"
    logs.create_log_group(logGroupName=group)
    account = cloud.client("sts").get_caller_identity()["Account"]
    arn = f"arn:aws:logs:us-east-1:{account}:log-group:{group}"
    line = '{"id": "$context.requestId"}'
    api = stack.apply(full(arn, line))["Api"]
    stage = client.get_stage(restApiId=api, stageName="live")
    assert stage["accessLogSettings"] == {"destinationArn": arn, "format": line}
    assert (stage["cacheClusterSize"], stage["tags"]["a"]) == ("0.5", "b")
    every = stage["methodSettings"]["*/*"]
    assert (every["loggingLevel"], every["throttlingRateLimit"]) == ("INFO", 2.5)
    assert (every["throttlingBurstLimit"], every["metricsEnabled"]) == (5, True)
    own = stage["methodSettings"]["~1pets/GET"]
    assert (own["cacheTtlInSeconds"], own["cachingEnabled"]) == (7, True)
    assert stage["canarySettings"]["percentTraffic"] == 10.0
    assert stage["canarySettings"]["stageVariableOverrides"] == {"v": "1", "w": "2"}
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(f"{cloud.endpoint}/_aws/execute-api/{api}/live/lost")
    with refusal.value as error:
        assert (error.code, error.headers["X-Lost"]) == (404, "yes")
        assert error.read() == b'{"lost": true}'
    second = template(
        '"x"',
        "D1",
        MethodSettings=[{"ResourcePath": "/*", "HttpMethod": "*", "MetricsEnabled": True}],
        CanarySetting={
            "PercentTraffic": 0,
            "DeploymentId": {"Ref": "D1"},
            "StageVariableOverrides": {"v": "3"},
        },
    )
    stack.apply(second, update=True)
    stage = client.get_stage(restApiId=api, stageName="live")
    assert "accessLogSettings" not in stage
    assert list(stage["methodSettings"]) == ["*/*"]
    assert stage["methodSettings"]["*/*"].get("loggingLevel", "OFF") == "OFF"
    assert stage["canarySettings"]["stageVariableOverrides"] == {"v": "3"}
    assert (stage["cacheClusterEnabled"], stage["tracingEnabled"]) == (False, False)
    kinds = client.get_gateway_responses(restApiId=api, limit=30)["items"]
    assert all(one["defaultResponse"] for one in kinds)
    logs.delete_log_group(logGroupName=group)


def test_a_deployment_that_describes_its_stage(cloud, stack):
    document = template('"x"', "D1")
    document["Resources"].pop("Stage")
    document["Resources"]["D1"]["Properties"] |= {
        "StageName": "own",
        "StageDescription": {
            "Description": "d",
            "Variables": {"v": "1"},
            "ThrottlingRateLimit": 3,
            "CacheClusterEnabled": True,
            "MethodSettings": [
                {"ResourcePath": "/pets", "HttpMethod": "GET", "MetricsEnabled": True}
            ],
            "Tags": [{"Key": "a", "Value": "b"}],
        },
    }
    api = stack.apply(document)["Api"]
    stage = cloud.client("apigateway").get_stage(restApiId=api, stageName="own")
    assert (stage["description"], stage["variables"], stage["tags"]) == (
        "d",
        {"v": "1"},
        {"a": "b"},
    )
    assert stage["cacheClusterEnabled"] is True
    assert stage["methodSettings"]["*/*"]["throttlingRateLimit"] == 3.0
    assert stage["methodSettings"]["pets/GET"]["metricsEnabled"] is True


def test_a_stage_that_cannot_be_so_is_not_left_behind(cloud, stack):
    said = stack.fail(
        template(
            '"x"',
            "D1",
            MethodSettings=[{"ResourcePath": "/*", "HttpMethod": "*", "CacheTtlInSeconds": 99_999}],
        )
    )
    assert "Invalid cache TTL specified" in said
