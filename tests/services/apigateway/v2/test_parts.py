"""Routes, integrations, authorizers and models: what is taken, shown, refused.

https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/operations.html
"""

from __future__ import annotations

import pytest
from tests.services.apigateway.conftest import refused
from tests.services.apigateway.v2.conftest import FUNCTION, FUNCTION_URI

BAD_KEY = (
    "The provided route key is not formatted properly for HTTP protocol. Format should be "
    '"<HTTP METHOD> /<RESOURCE PATH>" or "$default"'
)
JWT = {
    "Name": "jwt",
    "AuthorizerType": "JWT",
    "IdentitySource": ["$request.header.Authorization"],
    "JwtConfiguration": {"Audience": ["a"], "Issuer": "https://issuer.example/x"},
}
REQUEST = {
    "Name": "f",
    "AuthorizerType": "REQUEST",
    "IdentitySource": ["$request.header.Authorization"],
    "AuthorizerUri": FUNCTION_URI,
    "AuthorizerPayloadFormatVersion": "2.0",
}


def test_a_route_is_made_changed_and_removed(v2, http_api):
    backend = http_api.http("http://127.0.0.1:1/")
    made = v2.create_route(
        ApiId=http_api.id, RouteKey="GET /pets/{id}", Target=f"integrations/{backend}"
    )
    route = made["RouteId"]
    del made["ResponseMetadata"]
    assert made == {
        "RouteId": route,
        "RouteKey": "GET /pets/{id}",
        "ApiKeyRequired": False,
        "AuthorizationType": "NONE",
        "Target": f"integrations/{backend}",
    }
    with refused("ConflictException", "Route with key GET /pets/{id} already exists for this API"):
        v2.create_route(ApiId=http_api.id, RouteKey="GET /pets/{id}")
    changed = v2.update_route(ApiId=http_api.id, RouteId=route, OperationName="getPet")
    assert (changed["RouteKey"], changed["OperationName"]) == ("GET /pets/{id}", "getPet")
    assert v2.get_route(ApiId=http_api.id, RouteId=route)["OperationName"] == "getPet"
    assert [one["RouteId"] for one in v2.get_routes(ApiId=http_api.id)["Items"]] == [route]
    v2.delete_route(ApiId=http_api.id, RouteId=route)
    with refused("NotFoundException"):
        v2.get_route(ApiId=http_api.id, RouteId=route)


@pytest.mark.parametrize(
    "key",
    ["GET", "GET/x", "BREW /x", "GET x", "get /x", "GET /{a+}/b", "GET /{a}/{a}", "GET /a b", "x"],
)
def test_route_keys_of_http_apis_have_their_form(v2, http_api, key):
    with refused("BadRequestException", BAD_KEY):
        v2.create_route(ApiId=http_api.id, RouteKey=key)


@pytest.mark.parametrize("key", ["$default", "ANY /", "PUT /a/{b}/c", "POST /a/{proxy+}"])
def test_these_are_route_keys(v2, http_api, key):
    assert v2.create_route(ApiId=http_api.id, RouteKey=key)["RouteKey"] == key


@pytest.mark.parametrize(
    "settings",
    [
        {"Target": "integrations/nothing1"},
        {"Target": "somewhere"},
        {"ApiKeyRequired": True},
        {"RequestParameters": {"route.request.header.x": {"Required": True}}},
        {"RouteResponseSelectionExpression": "$default"},
        {"AuthorizationType": "JWT"},
        {"AuthorizationType": "CUSTOM"},
        {"AuthorizationScopes": ["a"]},
        {"AuthorizationScopes": ['a"b']},
        {"AuthorizationScopes": ["a\r\nb"]},
        {"AuthorizationType": "AWS_IAM", "AuthorizerId": "abcdef"},
    ],
    ids=str,
)
def test_what_a_route_may_not_say_is_refused(v2, http_api, settings):
    code = "NotFoundException" if "AuthorizerId" in settings else "BadRequestException"
    with refused(code):
        v2.create_route(ApiId=http_api.id, RouteKey="GET /x", **settings)


def test_websocket_routes_have_parameters_models_and_one_authorized_route(v2, made):
    api = made("WEBSOCKET")["ApiId"]
    route = v2.create_route(
        ApiId=api,
        RouteKey="$connect",
        AuthorizationType="AWS_IAM",
        ApiKeyRequired=True,
        RequestParameters={
            "route.request.header.a": {"Required": True},
            "route.request.querystring.b": {"Required": False},
        },
    )["RouteId"]
    parameter = "route.request.header.a"
    v2.delete_route_request_parameter(ApiId=api, RouteId=route, RequestParameterKey=parameter)
    left = v2.get_route(ApiId=api, RouteId=route)["RequestParameters"]
    assert left == {"route.request.querystring.b": {"Required": False}}
    with refused("NotFoundException"):
        v2.delete_route_request_parameter(ApiId=api, RouteId=route, RequestParameterKey=parameter)
    said = "Currently, authorization is restricted to the $connect route only"
    with refused("BadRequestException", said):
        v2.create_route(ApiId=api, RouteKey="other", AuthorizationType="AWS_IAM")
    with refused("BadRequestException"):
        v2.create_route(ApiId=api, RouteKey="$other")


def test_route_responses_belong_to_websocket_routes(v2, made, http_api):
    api = made("WEBSOCKET")["ApiId"]
    route = v2.create_route(ApiId=api, RouteKey="a")["RouteId"]
    place = {"ApiId": api, "RouteId": route}
    answer = v2.create_route_response(**place, RouteResponseKey="$default")["RouteResponseId"]
    with refused("ConflictException"):
        v2.create_route_response(**place, RouteResponseKey="$default")
    with refused("BadRequestException"):
        v2.create_route_response(**place, RouteResponseKey="other")
    changed = v2.update_route_response(
        **place, RouteResponseId=answer, ResponseModels={"application/json": "M"}
    )
    assert changed["ResponseModels"] == {"application/json": "M"}
    got = v2.get_route_response(**place, RouteResponseId=answer)
    assert (got["RouteResponseKey"], got["RouteResponseId"]) == ("$default", answer)
    assert len(v2.get_route_responses(**place)["Items"]) == 1
    v2.delete_route_response(**place, RouteResponseId=answer)
    with refused("NotFoundException"):
        v2.get_route_response(**place, RouteResponseId=answer)
    mine = http_api.route("GET /", http_api.http("http://127.0.0.1:1/"))
    with refused("BadRequestException"):
        v2.create_route_response(ApiId=http_api.id, RouteId=mine, RouteResponseKey="$default")


def test_an_integration_is_made_changed_and_removed(v2, http_api):
    made = v2.create_integration(
        ApiId=http_api.id,
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="GET",
        IntegrationUri="http://127.0.0.1:1/{proxy}",
        PayloadFormatVersion="1.0",
        RequestParameters={"append:header.a": "b", "overwrite:path": "/x"},
    )
    place = {"ApiId": http_api.id, "IntegrationId": made["IntegrationId"]}
    assert (made["ConnectionType"], made["TimeoutInMillis"]) == ("INTERNET", 30_000)
    # An empty value takes a parameter away, as for AWS's own update.
    changed = v2.update_integration(
        **place,
        TimeoutInMillis=50,
        RequestParameters={"append:header.a": "", "overwrite:header.c": "$context.requestId"},
    )
    assert changed["RequestParameters"] == {
        "overwrite:path": "/x",
        "overwrite:header.c": "$context.requestId",
    }
    assert v2.get_integration(**place)["TimeoutInMillis"] == 50
    assert len(v2.get_integrations(ApiId=http_api.id)["Items"]) == 1
    route = http_api.route("GET /", place["IntegrationId"])
    with refused("ConflictException"):
        v2.delete_integration(**place)
    v2.delete_route(ApiId=http_api.id, RouteId=route)
    v2.delete_integration(**place)
    with refused("NotFoundException"):
        v2.get_integration(**place)


ONLY_PROXIES = (
    "Currently, an API with a protocol type of HTTP may only be associated with proxy "
    "integrations (AWS_PROXY, HTTP_PROXY)"
)
WEB = {
    "IntegrationType": "HTTP_PROXY",
    "IntegrationMethod": "GET",
    "IntegrationUri": "http://127.0.0.1:1/",
}
QUEUE = {
    "IntegrationType": "AWS_PROXY",
    "IntegrationSubtype": "SQS-SendMessage",
    "CredentialsArn": "arn:aws:iam::000000000000:role/r",
    "RequestParameters": {"QueueUrl": "q", "MessageBody": "$request.body"},
}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"IntegrationType": "AWS", "IntegrationUri": FUNCTION_URI}, ONLY_PROXIES),
        ({"IntegrationType": "MOCK"}, ONLY_PROXIES),
        ({**WEB, "IntegrationMethod": "BREW"}, ""),
        ({**WEB, "IntegrationUri": "nowhere"}, "Invalid HTTP endpoint specified for URI"),
        ({**WEB, "PayloadFormatVersion": "2.0"}, ""),
        ({**WEB, "TimeoutInMillis": 30_001}, "Timeout should be between 50 ms and 30000 ms"),
        ({**WEB, "ConnectionType": "VPC_LINK", "ConnectionId": "x"}, ""),
        ({**WEB, "RequestTemplates": {"application/json": "x"}}, ""),
        ({**WEB, "RequestParameters": {"append:header.Authorization": "x"}}, ""),
        ({**WEB, "RequestParameters": {"append:path": "x"}}, ""),
        ({**WEB, "RequestParameters": {"append:header.x": "$response.header.y"}}, ""),
        ({**WEB, "ResponseParameters": {"99": {"remove:header.x": "''"}}}, ""),
        ({**WEB, "ResponseParameters": {"200": {"overwrite:statuscode": "7"}}}, ""),
        ({"IntegrationType": "AWS_PROXY", "IntegrationUri": "arn:aws:sns:us-east-1:0:x"}, ""),
        ({"IntegrationType": "AWS_PROXY", "IntegrationUri": FUNCTION,
          "PayloadFormatVersion": "3.0"}, ""),
        ({**QUEUE, "CredentialsArn": ""}, ""),
        ({**QUEUE, "RequestParameters": {"QueueUrl": "q"}}, ""),
        ({**QUEUE, "RequestParameters": {**QUEUE["RequestParameters"], "Other": "x"}}, ""),
        ({**QUEUE, "IntegrationSubtype": "SQS-Nothing"}, ""),
        ({**QUEUE, "IntegrationSubtype": "EventBridge-PutEvents"}, ""),
        ({**QUEUE, "IntegrationSubtype": "StepFunctions-StartExecution"},
         "IntegrationSubtype StepFunctions-StartExecution is not supported by Cumulet: it has no "
         "Step Functions."),
        ({**QUEUE, "IntegrationSubtype": "Kinesis-PutRecord"}, ""),
        ({**QUEUE, "IntegrationSubtype": "AppConfig-GetConfiguration"}, ""),
    ],
    ids=str,
)  # fmt: skip
def test_integrations_that_cannot_work_are_refused(v2, http_api, settings, message):
    with refused("BadRequestException", message):
        v2.create_integration(ApiId=http_api.id, **settings)


def test_integration_responses_belong_to_websocket_apis(v2, made, http_api):
    api = made("WEBSOCKET")["ApiId"]
    backend = v2.create_integration(
        ApiId=api,
        IntegrationType="MOCK",
        RequestTemplates={"application/json": '{"statusCode": 200}'},
        TemplateSelectionExpression="200",
    )
    assert backend["IntegrationResponseSelectionExpression"] == (
        "${integration.response.statuscode}"
    )
    place = {"ApiId": api, "IntegrationId": backend["IntegrationId"]}
    first = v2.create_integration_response(
        **place,
        IntegrationResponseKey="$default",
        ResponseTemplates={"application/json": '{"a": $input.json("$.b")}'},
    )["IntegrationResponseId"]
    v2.create_integration_response(**place, IntegrationResponseKey="/2\\d\\d/")
    for key, code in (
        ("$default", "ConflictException"),
        ("200", "BadRequestException"),
        ("/(/", "BadRequestException"),
    ):
        with refused(code):
            v2.create_integration_response(**place, IntegrationResponseKey=key)
    changed = v2.update_integration_response(
        **place, IntegrationResponseId=first, IntegrationResponseKey="/500/"
    )
    assert changed["IntegrationResponseKey"] == "/500/"
    got = v2.get_integration_response(**place, IntegrationResponseId=first)
    assert got["ResponseTemplates"] == {"application/json": '{"a": $input.json("$.b")}'}
    assert len(v2.get_integration_responses(**place)["Items"]) == 2
    v2.delete_integration_response(**place, IntegrationResponseId=first)
    with refused("NotFoundException"):
        v2.get_integration_response(**place, IntegrationResponseId=first)
    mine = http_api.http("http://127.0.0.1:1/")
    with refused("BadRequestException"):
        v2.create_integration_response(
            ApiId=http_api.id, IntegrationId=mine, IntegrationResponseKey="$default"
        )


def test_an_authorizer_is_made_changed_and_removed(v2, http_api):
    made = v2.create_authorizer(ApiId=http_api.id, **REQUEST)
    place = {"ApiId": http_api.id, "AuthorizerId": made["AuthorizerId"]}
    assert (made["AuthorizerResultTtlInSeconds"], made["EnableSimpleResponses"]) == (300, False)
    changed = v2.update_authorizer(**place, EnableSimpleResponses=True, Name="g")
    assert (changed["EnableSimpleResponses"], changed["Name"]) == (True, "g")
    assert v2.get_authorizer(**place)["AuthorizerUri"] == FUNCTION_URI
    jwt = v2.create_authorizer(ApiId=http_api.id, **JWT)["AuthorizerId"]
    assert {one["Name"] for one in v2.get_authorizers(ApiId=http_api.id)["Items"]} == {"g", "jwt"}
    backend = http_api.http("http://127.0.0.1:1/")
    with refused("BadRequestException"):
        http_api.route("GET /", backend, AuthorizationType="JWT", AuthorizerId=made["AuthorizerId"])
    route = http_api.route(
        "GET /", backend, AuthorizationType="JWT", AuthorizerId=jwt, AuthorizationScopes=["s"]
    )
    with refused("ConflictException"):
        v2.delete_authorizer(ApiId=http_api.id, AuthorizerId=jwt)
    changed = v2.update_route(ApiId=http_api.id, RouteId=route, AuthorizationType="NONE")
    assert "AuthorizerId" not in changed
    assert "AuthorizationScopes" not in changed
    v2.delete_authorizer(ApiId=http_api.id, AuthorizerId=jwt)
    with refused("NotFoundException"):
        v2.get_authorizer(ApiId=http_api.id, AuthorizerId=jwt)


@pytest.mark.parametrize(
    "settings",
    [
        {**JWT, "JwtConfiguration": {"Audience": ["a"]}},
        {**JWT, "JwtConfiguration": {"Audience": [], "Issuer": "https://x.example"}},
        {**JWT, "JwtConfiguration": {"Audience": ["a"], "Issuer": "http://x.example"}},
        {**JWT, "IdentitySource": []},
        {**JWT, "IdentitySource": ["method.request.header.Authorization"]},
        {**JWT, "AuthorizerUri": FUNCTION_URI},
        {**REQUEST, "AuthorizerUri": "nowhere"},
        {**REQUEST, "AuthorizerPayloadFormatVersion": "3.0"},
        {k: v for k, v in REQUEST.items() if k != "AuthorizerPayloadFormatVersion"},
        {**REQUEST, "AuthorizerPayloadFormatVersion": "1.0", "EnableSimpleResponses": True},
        {**REQUEST, "AuthorizerResultTtlInSeconds": 3_601},
        {**REQUEST, "IdentitySource": [], "AuthorizerResultTtlInSeconds": 5},
    ],
    ids=str,
)
def test_authorizers_that_cannot_work_are_refused(v2, http_api, settings):
    with refused("BadRequestException"):
        v2.create_authorizer(ApiId=http_api.id, **settings)


def test_websocket_authorizers_are_functions(v2, made):
    api = made("WEBSOCKET")["ApiId"]
    with refused("BadRequestException"):
        v2.create_authorizer(ApiId=api, **JWT)
    with refused("BadRequestException"):
        v2.create_authorizer(ApiId=api, **REQUEST)
    v2.create_authorizer(
        ApiId=api,
        Name="f",
        AuthorizerType="REQUEST",
        AuthorizerUri=FUNCTION_URI,
        IdentitySource=["route.request.querystring.token"],
    )


def test_models_are_kept_and_give_templates(v2, made):
    api = made("WEBSOCKET")["ApiId"]
    schema = '{"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "number"}}}'
    model = v2.create_model(ApiId=api, Name="Pet", ContentType="application/json", Schema=schema)
    place = {"ApiId": api, "ModelId": model["ModelId"]}
    assert v2.get_model(**place)["Schema"] == schema
    template = v2.get_model_template(**place)["Value"]
    assert '"a" : "$inputRoot.a"' in template
    assert '"n" : $inputRoot.n' in template
    with refused("ConflictException"):
        v2.create_model(ApiId=api, Name="Pet", Schema="{}")
    for bad in ({"Name": "a-b", "Schema": "{}"}, {"Name": "a", "Schema": "{"}):
        with refused("BadRequestException"):
            v2.create_model(ApiId=api, **bad)
    assert v2.update_model(**place, Description="d")["Description"] == "d"
    assert [one["Name"] for one in v2.get_models(ApiId=api)["Items"]] == ["Pet"]
    v2.delete_model(**place)
    with refused("NotFoundException"):
        v2.get_model(**place)


# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
def test_an_api_has_ten_authorizers_at_most(v2, http_api):
    for number in range(10):
        v2.create_authorizer(ApiId=http_api.id, **{**JWT, "Name": f"a{number}"})
    said = "Maximum number of authorizers (10) for this API has been reached."
    with refused("TooManyRequestsException", said):
        v2.create_authorizer(ApiId=http_api.id, **JWT)
    with refused("ConflictException"):
        v2.create_authorizer(ApiId=http_api.id, **{**JWT, "Name": "a1"})
