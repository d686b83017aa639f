"""Base paths of domains: which API a path leads to, and how mappings are changed."""

from __future__ import annotations

import pytest
from tests.services.apigateway.domains.test_domain_names import refused


@pytest.fixture(scope="module")
def api(secure):
    return secure.rest_api("base-paths")


def test_base_paths_are_made_listed_changed_and_deleted(secure, api):
    """https://docs.aws.amazon.com/apigateway/latest/api/API_BasePathMapping.html"""
    client = secure.client("apigateway")
    secure.domain("paths.example.com")
    name = {"domainName": "paths.example.com"}
    made = client.create_base_path_mapping(**name, restApiId=api, stage="prod")
    assert made["basePath"] == "(none)"
    client.create_base_path_mapping(**name, restApiId=api, basePath="v1", stage="prod")
    listed = client.get_base_path_mappings(**name)["items"]
    assert [one["basePath"] for one in listed] == ["(none)", "v1"]
    page = client.get_base_path_mappings(**name, limit=1)
    rest = client.get_base_path_mappings(**name, limit=1, position=page["position"])["items"]
    assert [one["basePath"] for one in rest] == ["v1"]
    refused(
        client.create_base_path_mapping,
        "ConflictException",
        "Base path already exists for this domain name",
        **name,
        restApiId=api,
        basePath="v1",
        stage="prod",
    )
    client.update_base_path_mapping(
        **name,
        basePath="v1",
        patchOperations=[{"op": "replace", "path": "/basePath", "value": "v2"}],
    )
    assert client.get_base_path_mapping(**name, basePath="v2")["stage"] == "prod"
    assert secure.get("paths.example.com", "/v2/a").json["path"] == "/v2/a"
    client.delete_base_path_mapping(**name, basePath="v2")
    refused(
        client.get_base_path_mapping,
        "NotFoundException",
        "Invalid base path mapping identifier specified",
        **name,
        basePath="v2",
    )


def test_the_longest_base_path_wins(secure, api):
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html"""
    other = secure.rest_api("longest", '{"other": "$context.path"}')
    secure.domain("longest.example.com")
    second = secure.client("apigatewayv2")
    name = {"DomainName": "longest.example.com", "Stage": "prod"}
    second.create_api_mapping(**name, ApiId=api, ApiMappingKey="orders")
    mapping = second.create_api_mapping(**name, ApiId=other, ApiMappingKey="orders/v2/items")
    assert "path" in secure.get("longest.example.com", "/orders/v2/other").json
    assert "other" in secure.get("longest.example.com", "/orders/v2/items").json
    assert "other" in secure.get("longest.example.com", "/orders/v2/items/7?a=1").json
    assert "path" in secure.get("longest.example.com", "/orders/v2/items7").json
    nowhere = secure.get("longest.example.com", "/else")
    assert (nowhere.status, nowhere.json) == (403, {"message": "Forbidden"})
    assert nowhere.headers["x-amzn-errortype"] == "ForbiddenException"
    place = {"DomainName": "longest.example.com", "ApiMappingId": mapping["ApiMappingId"]}
    second.update_api_mapping(**place, ApiId=other, ApiMappingKey="shop", Stage="prod")
    assert second.get_api_mapping(**place)["ApiMappingKey"] == "shop"
    assert "other" in secure.get("longest.example.com", "/shop").json
    listed = second.get_api_mappings(DomainName=place["DomainName"])["Items"]
    keys = [one["ApiMappingKey"] for one in listed]
    assert sorted(keys) == ["orders", "shop"]
    second.delete_api_mapping(**place)
    assert secure.get("longest.example.com", "/shop").status == 403


def test_without_a_stage_the_path_names_it(secure, api):
    secure.domain("stages.example.com")
    secure.client("apigateway").create_base_path_mapping(
        domainName="stages.example.com", restApiId=api, basePath="api"
    )
    assert secure.get("stages.example.com", "/api/prod/x").json["stage"] == "prod"
    assert secure.get("stages.example.com", "/api/none/x").status == 403


def test_a_domain_stays_open_when_the_api_s_own_address_is_closed(secure):
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-disable-default-endpoint.html"""
    api = secure.rest_api("closed")
    client = secure.client("apigateway")
    secure.domain("closed.example.com")
    client.create_base_path_mapping(domainName="closed.example.com", restApiId=api, stage="prod")
    client.update_rest_api(
        restApiId=api,
        patchOperations=[{"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "true"}],
    )
    client.create_deployment(restApiId=api, stageName="prod")
    assert secure.get("localhost", "/prod/", host=f"{api}.execute-api.localhost").status == 403
    assert secure.get("closed.example.com", "/").status == 200


def test_a_wildcard_stands_for_one_label(secure, api):
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-custom-domains.html"""
    secure.domain("*.wild.example.com")
    secure.client("apigateway").create_base_path_mapping(
        domainName="*.wild.example.com", restApiId=api, stage="prod"
    )
    answer = secure.get("a.wild.example.com")
    assert answer.json["domain"] == "a.wild.example.com"
    assert "x-amz-apigw-id" in answer.headers
    deeper = secure.get("localhost", host="b.a.wild.example.com")
    assert "x-amz-apigw-id" not in deeper.headers


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"restApiId": "none", "stage": "prod"}, "Invalid REST API identifier specified"),
        ({"stage": "none"}, "Invalid stage identifier specified"),
        ({"stage": "prod", "basePath": "a/b"}, "doesn't support the slash character"),
        ({"stage": "prod", "basePath": "a b"}, "Base path must be"),
    ],
)
def test_what_no_base_path_may_be_is_refused(secure, api, request_, words):
    client = secure.client("apigateway")
    names = [one["domainName"] for one in client.get_domain_names(limit=500)["items"]]
    if "bad.example.com" not in names:
        secure.domain("bad.example.com")
    request = {"domainName": "bad.example.com", "restApiId": api, **request_}
    refused(client.create_base_path_mapping, "BadRequestException", words, **request)


def test_an_api_and_a_stage_with_a_domain_stay(secure):
    api = secure.rest_api("stays")
    client = secure.client("apigateway")
    secure.domain("stays.example.com")
    client.create_base_path_mapping(domainName="stays.example.com", restApiId=api, stage="prod")
    refused(client.delete_rest_api, "BadRequestException", "base path mappings", restApiId=api)
    refused(
        client.delete_stage,
        "BadRequestException",
        "base path mappings",
        restApiId=api,
        stageName="prod",
    )
    client.delete_domain_name(domainName="stays.example.com")
    client.delete_rest_api(restApiId=api)
