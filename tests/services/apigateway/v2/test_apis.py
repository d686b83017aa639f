"""HTTP and WebSocket APIs: made, listed, changed and removed.

https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html
"""

from __future__ import annotations

import pytest
from tests.services.apigateway.conftest import refused
from tests.services.apigateway.v2.conftest import FUNCTION, FUNCTION_URI

OF_HTTP = "$request.method $request.path"


def test_a_new_http_api_has_awss_defaults(v2, made):
    api = made(Name="one", Description="d", Tags={"a": "b"})
    found = v2.get_api(ApiId=api["ApiId"])
    endpoint = found.pop("ApiEndpoint")
    assert f"//{api['ApiId']}.execute-api.us-east-1.localhost:" in endpoint
    assert endpoint.startswith("http://")
    del found["ResponseMetadata"], found["CreatedDate"]
    assert found == {
        "ApiId": api["ApiId"],
        "ApiKeySelectionExpression": "$request.header.x-api-key",
        "Description": "d",
        "DisableExecuteApiEndpoint": False,
        "IpAddressType": "ipv4",
        "Name": "one",
        "ProtocolType": "HTTP",
        "RouteSelectionExpression": OF_HTTP,
        "Tags": {"a": "b"},
    }


def test_a_websocket_api_needs_an_expression_that_selects_its_routes(v2, made):
    api = made("WEBSOCKET")
    assert api["RouteSelectionExpression"] == "$request.body.action"
    assert api["ApiEndpoint"].startswith("ws://")
    with refused("BadRequestException"):
        v2.create_api(Name="x", ProtocolType="WEBSOCKET")


@pytest.mark.parametrize(
    "settings",
    [
        {"Name": ""},
        {"Name": "x" * 129},
        {"RouteSelectionExpression": "$request.body.x"},
        {"DisableSchemaValidation": True},
        {"ApiKeySelectionExpression": "$request.header.other"},
        {"RouteKey": "GET /x"},
        {"Target": "nowhere"},
        {"Target": "http://127.0.0.1:1/", "RouteKey": "GETx"},
        {"CorsConfiguration": {"AllowOrigins": ["*"], "AllowCredentials": True}},
        {"CorsConfiguration": {"AllowOrigins": ["nonsense"]}},
        {"CorsConfiguration": {"AllowMethods": ["BREW"]}},
        {"CorsConfiguration": {"AllowHeaders": ["a b"]}},
        {"CorsConfiguration": {"MaxAge": 86_401}},
        {"Tags": {"aws:x": "y"}},
    ],
    ids=str,
)
def test_settings_that_make_no_api_are_refused(v2, settings):
    with refused("BadRequestException"):
        v2.create_api(**{"Name": "x", "ProtocolType": "HTTP", **settings})


def test_a_websocket_api_has_no_cors_and_no_target(v2):
    for settings in ({"CorsConfiguration": {"MaxAge": 1}}, {"Target": FUNCTION}):
        with refused("BadRequestException"):
            v2.create_api(
                Name="x",
                ProtocolType="WEBSOCKET",
                RouteSelectionExpression="$request.body.a",
                **settings,
            )


def test_an_update_changes_what_it_names(v2, made):
    api = made(Description="old", CorsConfiguration={"AllowOrigins": ["*"]})
    changed = v2.update_api(ApiId=api["ApiId"], Name="new", DisableExecuteApiEndpoint=True)
    assert (changed["Name"], changed["Description"]) == ("new", "old")
    assert changed["DisableExecuteApiEndpoint"] is True
    assert changed["CorsConfiguration"] == {"AllowOrigins": ["*"]}
    changed = v2.update_api(ApiId=api["ApiId"], CorsConfiguration={"MaxAge": 5})
    assert changed["CorsConfiguration"] == {"MaxAge": 5}
    v2.delete_cors_configuration(ApiId=api["ApiId"])
    assert "CorsConfiguration" not in v2.get_api(ApiId=api["ApiId"])


def test_apis_are_listed_in_pages(v2, made):
    mine = {made()["ApiId"] for _ in range(3)}
    seen, token = set(), ""
    while True:
        page = v2.get_apis(MaxResults="2", **({"NextToken": token} if token else {}))
        assert len(page["Items"]) <= 2
        seen |= {one["ApiId"] for one in page["Items"]}
        token = page.get("NextToken", "")
        if not token:
            break
    assert mine <= seen
    for bad in ({"MaxResults": "0"}, {"MaxResults": "x"}, {"NextToken": "!"}):
        with refused("BadRequestException"):
            v2.get_apis(**bad)


def test_a_removed_api_is_gone_with_its_parts(v2, made):
    api = made(Target="http://127.0.0.1:1/")["ApiId"]
    v2.delete_api(ApiId=api)
    with refused("NotFoundException", f"Invalid API identifier specified 000000000000:{api}"):
        v2.get_api(ApiId=api)
    for listing in (v2.get_routes, v2.get_stages, v2.get_integrations, v2.get_deployments):
        with refused("NotFoundException"):
            listing(ApiId=api)
    with refused("NotFoundException"):
        v2.delete_api(ApiId=api)


# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-examples.html
def test_a_target_makes_route_integration_and_stage_at_once(v2, made):
    api = made(Target=FUNCTION)["ApiId"]
    [route] = v2.get_routes(ApiId=api)["Items"]
    [integration] = v2.get_integrations(ApiId=api)["Items"]
    [stage] = v2.get_stages(ApiId=api)["Items"]
    assert (route["RouteKey"], route["ApiGatewayManaged"]) == ("$default", True)
    assert route["Target"] == f"integrations/{integration['IntegrationId']}"
    assert (integration["IntegrationType"], integration["IntegrationUri"]) == (
        "AWS_PROXY",
        FUNCTION,
    )
    assert integration["PayloadFormatVersion"] == "2.0"
    assert (stage["StageName"], stage["AutoDeploy"]) == ("$default", True)
    told = f"Successfully deployed stage with deployment ID '{stage['DeploymentId']}'"
    assert stage["LastDeploymentStatusMessage"] == told
    v2.update_api(ApiId=api, RouteKey="GET /x", Target="http://127.0.0.1:1/")
    [route] = v2.get_routes(ApiId=api)["Items"]
    [integration] = v2.get_integrations(ApiId=api)["Items"]
    assert route["RouteKey"] == "GET /x"
    assert (integration["IntegrationType"], integration["IntegrationMethod"]) == (
        "HTTP_PROXY",
        "ANY",
    )


def test_only_what_was_quickly_made_has_a_target_to_change(v2, made):
    with refused("BadRequestException"):
        v2.update_api(ApiId=made()["ApiId"], Target=FUNCTION_URI)


def test_apis_and_stages_have_tags(v2, made):
    api = made(Tags={"a": "1"})["ApiId"]
    v2.create_stage(ApiId=api, StageName="$default", Tags={"s": "1"})
    for path, first in ((f"/apis/{api}", "a"), (f"/apis/{api}/stages/$default", "s")):
        arn = f"arn:aws:apigateway:us-east-1::{path}"
        v2.tag_resource(ResourceArn=arn, Tags={"b": "2"})
        assert v2.get_tags(ResourceArn=arn)["Tags"] == {first: "1", "b": "2"}
        v2.untag_resource(ResourceArn=arn, TagKeys=["b"])
        assert v2.get_tags(ResourceArn=arn)["Tags"] == {first: "1"}
    with refused("NotFoundException"):
        v2.get_tags(ResourceArn="arn:aws:apigateway:us-east-1::/apis/nothing")


def test_vpc_links_are_refused_and_none_is_there(v2):
    assert v2.get_vpc_links()["Items"] == []
    with refused("BadRequestException", "VPC links are not supported by Cumulet yet."):
        v2.create_vpc_link(Name="x", SubnetIds=["subnet-1"])
    for act in (v2.get_vpc_link, v2.update_vpc_link, v2.delete_vpc_link):
        with refused("NotFoundException"):
            act(VpcLinkId="abc")
