"""Settings of stages: methods, canaries, caches and logs; what is promoted, and what is refused.

https://docs.aws.amazon.com/apigateway/latest/developerguide/canary-release.html
https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html
"""

from __future__ import annotations

import pytest
from tests.services.apigateway.conftest import refused

USUAL = {
    "metricsEnabled": False,
    "dataTraceEnabled": False,
    "throttlingBurstLimit": 5000,
    "throttlingRateLimit": 10000.0,
    "cachingEnabled": False,
    "cacheTtlInSeconds": 300,
    "cacheDataEncrypted": False,
    "requireAuthorizationForCacheControl": True,
    "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
}


def patch(api, *operations, stage="prod"):
    return api.client.update_stage(
        restApiId=api.id,
        stageName=stage,
        patchOperations=[
            dict(zip(("op", "path", "value"), operation, strict=False)) for operation in operations
        ],
    )


@pytest.fixture
def served(api):
    api.mock("GET", "a", template='"one $!stageVariables.v $context.isCanaryRequest"')
    api.deploy(variables={"v": "main"})
    return api


def test_settings_of_all_methods_and_of_one(served):
    changed = patch(
        served,
        ("replace", "/*/*/throttling/rateLimit", "12.5"),
        ("replace", "/*/*/metrics/enabled", "true"),
        ("replace", "/~1a/GET/caching/ttlInSeconds", "0"),
        ("replace", "/~1a/GET/caching/unauthorizedCacheControlHeaderStrategy", "FAIL_WITH_403"),
    )
    every = {**USUAL, "throttlingRateLimit": 12.5, "metricsEnabled": True}
    assert changed["methodSettings"] == {
        "*/*": every,
        "~1a/GET": {
            **every,
            "cacheTtlInSeconds": 0,
            "unauthorizedCacheControlHeaderStrategy": "FAIL_WITH_403",
        },
    }
    gone = patch(served, ("remove", "/~1a/GET"))
    assert list(gone["methodSettings"]) == ["*/*"]
    with refused(
        "BadRequestException",
        "Cannot remove method setting ~1a/GET because there is no method setting for this method ",
    ):
        patch(served, ("remove", "/~1a/GET"))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/*/*/caching/ttlInSeconds", "3601"),
        ("/*/*/caching/enabled", "maybe"),
        ("/*/*/throttling/rateLimit", "fast"),
        ("/*/*/throttling/burstLimit", "1.5"),
        ("/*/*/caching/unauthorizedCacheControlHeaderStrategy", "SHRUG"),
        ("/*/*/logging/loglevel", "DEBUG"),
        ("/*/*/logging/colour", "blue"),
        ("/cacheClusterSize", "1"),
        ("/canarySettings/percentTraffic", "101"),
        ("/canarySettings/percentTraffic", "some"),
        ("/accessLogSettings/destinationArn", "arn:aws:s3:::bucket"),
        (
            "/accessLogSettings/destinationArn",
            "arn:aws:firehose:us-east-1:123456789012:deliverystream/amazon-apigateway-x",
        ),
        ("/accessLogSettings/format", "$context.stage"),
        ("/accessLogSettings/format", "$context.requestId" + "x" * 3_072),
        ("/accessLogSettings/format", "$context.requestId\n$context.stage"),
        ("/webAclArn", "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/x/y"),
        ("/tags/x", "1"),
    ],
)
def test_values_that_a_stage_does_not_take(served, path, value):
    with refused("BadRequestException"):
        patch(served, ("replace", "/cacheClusterEnabled", "true"), ("replace", path, value))


def test_logs_need_the_accounts_role(new_cloud):
    from tests.services.apigateway.conftest import Api

    cloud = new_cloud()
    client = cloud.client("apigateway")
    made = client.create_rest_api(name="x")
    api = Api(client, cloud.endpoint, made["id"], made["rootResourceId"])
    api.mock("GET", "a")
    api.deploy()
    with refused(
        "BadRequestException",
        "CloudWatch Logs role ARN must be set in account settings to enable logging",
    ):
        patch(api, ("replace", "/*/*/logging/loglevel", "INFO"))


def test_a_cache_cluster_is_there_when_it_is_wanted(served):
    on = patch(
        served,
        ("replace", "/cacheClusterEnabled", "true"),
        ("replace", "/cacheClusterSize", "1.6"),
    )
    assert (on["cacheClusterStatus"], on["cacheClusterSize"]) == ("AVAILABLE", "1.6")
    off = patch(served, ("replace", "/cacheClusterEnabled", "false"))
    assert (off["cacheClusterStatus"], off.get("cacheClusterSize")) == ("NOT_AVAILABLE", None)
    made = served.client.create_stage(
        restApiId=served.id,
        stageName="big",
        deploymentId=off["deploymentId"],
        cacheClusterEnabled=True,
        cacheClusterSize="237",
    )
    assert made["cacheClusterSize"] == "237"


def answers(api, count=40):
    return {api.call("GET", "/a").body.decode().strip('"') for _ in range(count)}


def test_a_canary_gets_its_share_and_is_promoted(served):
    api = served
    first = api.client.get_stage(restApiId=api.id, stageName="prod")["deploymentId"]
    api.client.put_integration_response(
        restApiId=api.id,
        resourceId=api.resource("a"),
        httpMethod="GET",
        statusCode="200",
        responseTemplates={"application/json": '"two $!stageVariables.v $context.isCanaryRequest"'},
    )
    second = api.deploy(
        canarySettings={"percentTraffic": 50.0, "stageVariableOverrides": {"v": "canary"}}
    )
    stage = api.client.get_stage(restApiId=api.id, stageName="prod")
    assert stage["deploymentId"] == first
    assert stage["canarySettings"] == {
        "percentTraffic": 50.0,
        "deploymentId": second,
        "stageVariableOverrides": {"v": "canary"},
        "useStageCache": False,
    }
    # Forty throws of a fair coin all fall alike once in 10^12 runs.
    assert answers(api) == {"one main false", "two canary true"}
    patch(api, ("replace", "/canarySettings/percentTraffic", "0"))
    assert answers(api) == {"one main false"}
    patch(api, ("replace", "/canarySettings/percentTraffic", "100"))
    assert answers(api) == {"two canary true"}
    with refused(
        "BadRequestException",
        "Active stages with canary settings pointing to this deployment must be moved or deleted",
    ):
        api.client.delete_deployment(restApiId=api.id, deploymentId=second)
    promoted = api.client.update_stage(
        restApiId=api.id,
        stageName="prod",
        patchOperations=[
            {"op": "copy", "from": "/canarySettings/stageVariableOverrides", "path": "/variables"},
            {"op": "copy", "from": "/canarySettings/deploymentId", "path": "/deploymentId"},
            {"op": "remove", "path": "/canarySettings"},
        ],
    )
    assert (promoted["deploymentId"], promoted["variables"]) == (second, {"v": "canary"})
    assert "canarySettings" not in promoted
    assert answers(api) == {"two canary false"}
    patch(api, ("replace", "/deploymentId", first))
    assert answers(api) == {"one canary false"}


def test_a_canary_needs_a_stage_and_a_deployment_that_exist(served):
    with refused("BadRequestException"):
        served.client.create_deployment(
            restApiId=served.id, stageName="new", canarySettings={"percentTraffic": 1.0}
        )
    with refused("BadRequestException"):
        served.client.create_deployment(restApiId=served.id, canarySettings={"percentTraffic": 1.0})
    with refused("BadRequestException", "Deployment id does not exist"):
        patch(served, ("replace", "/canarySettings/deploymentId", "nothere"))


def test_overrides_of_a_canary_are_patched_one_by_one(served):
    changed = patch(
        served,
        ("replace", "/canarySettings/percentTraffic", "1.5"),
        ("add", "/canarySettings/stageVariableOverrides/v", "x"),
        ("replace", "/canarySettings/useStageCache", "true"),
    )["canarySettings"]
    assert changed["stageVariableOverrides"] == {"v": "x"}
    assert (changed["percentTraffic"], changed["useStageCache"]) == (1.5, True)
    with refused("NotFoundException", "Invalid stage variable specified"):
        patch(served, ("remove", "/canarySettings/stageVariableOverrides/w"))


def test_flushing_needs_a_stage(served):
    for flush in (
        served.client.flush_stage_cache,
        served.client.flush_stage_authorizers_cache,
    ):
        answer = flush(restApiId=served.id, stageName="prod")
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
        with refused("NotFoundException", "Invalid stage identifier specified"):
            flush(restApiId=served.id, stageName="none")
