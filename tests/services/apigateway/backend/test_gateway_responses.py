"""Gateway responses: the API's own words for what the gateway refuses.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

from __future__ import annotations

import json

import pytest
from tests.services.apigateway.conftest import refused

USUAL = {"application/json": '{"message":$context.error.messageString}'}


def put(api, kind, **members):
    return api.client.put_gateway_response(restApiId=api.id, responseType=kind, **members)


def test_every_type_has_a_usual_form(api):
    found = api.client.get_gateway_responses(restApiId=api.id)["items"]
    assert len(found) == 21
    by_type = {one["responseType"]: one for one in found}
    assert by_type["UNAUTHORIZED"] == {
        "responseType": "UNAUTHORIZED",
        "statusCode": "401",
        "responseParameters": {},
        "responseTemplates": USUAL,
        "defaultResponse": True,
    }
    assert "statusCode" not in by_type["DEFAULT_4XX"]
    first = api.client.get_gateway_responses(restApiId=api.id, limit=20)
    rest = api.client.get_gateway_responses(restApiId=api.id, position=first["position"])
    assert first["items"] + rest["items"] == found


def test_a_refusal_takes_the_form_that_was_deployed(api):
    api.mock("GET", "a")
    made = put(
        api,
        "MISSING_AUTHENTICATION_TOKEN",
        statusCode="404",
        responseParameters={
            "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
            "gatewayresponse.header.X-Asked": "method.request.header.X-Ask",
            "gatewayresponse.header.X-Stage": "context.stage",
            "gatewayresponse.header.X-None": "method.request.header.X-None",
            "gatewayresponse.header.X-Query": "method.request.querystring.q",
        },
        responseTemplates={
            "application/json": '{"kind": "$context.error.responseType", '
            '"said": $context.error.messageString, "path": "$context.path", '
            '"v": "$stageVariables.v", "no": "$context.nothing"}',
            "text/plain": "no: $context.error.message",
        },
    )
    assert made["defaultResponse"] is False
    api.deploy(variables={"v": "1"})
    answer = api.call("GET", "/nowhere?q=z", headers={"X-Ask": "me"})
    assert answer.status == 404
    assert answer.json == {
        "kind": "MISSING_AUTHENTICATION_TOKEN",
        "said": "Missing Authentication Token",
        "path": "/prod/nowhere",
        "v": "1",
        "no": "",
    }
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert (answer.headers["X-Asked"], answer.headers["X-Stage"]) == ("me", "prod")
    assert (answer.headers["X-Query"], answer.headers["X-None"]) == ("z", None)
    assert answer.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"
    plain = api.call("GET", "/nowhere", headers={"Accept": "text/plain, */*"})
    assert plain.body == b"no: Missing Authentication Token"
    assert plain.headers["Content-Type"] == "text/plain"
    api.client.delete_gateway_response(
        restApiId=api.id, responseType="MISSING_AUTHENTICATION_TOKEN"
    )
    assert api.call("GET", "/nowhere").status == 404
    api.deploy()
    assert api.call("GET", "/nowhere").status == 403


def test_types_without_a_form_of_their_own_take_that_of_their_default(api):
    place = api.mock("GET", "a")
    api.client.put_integration(**place, type="MOCK", requestTemplates={"application/json": "{}"})
    put(api, "DEFAULT_4XX", responseParameters={"gatewayresponse.header.X-Four": "'4'"})
    put(api, "DEFAULT_5XX", statusCode="599", responseTemplates={"application/json": "{}"})
    api.deploy()
    lost = api.call("GET", "/nowhere")
    assert (lost.status, lost.json) == (403, {"message": "Missing Authentication Token"})
    assert lost.headers["X-Four"] == "4"
    broken = api.call("GET", "/a")
    assert (broken.status, broken.body, broken.headers["X-Four"]) == (599, b"{}", None)
    shown = api.client.get_gateway_response(restApiId=api.id, responseType="UNAUTHORIZED")
    assert shown["responseParameters"] == {"gatewayresponse.header.X-Four": "'4'"}
    assert (shown["statusCode"], shown["defaultResponse"]) == ("401", True)


def test_what_is_too_large_takes_the_apis_form_too(api):
    api.mock("POST", "a")
    put(api, "REQUEST_TOO_LARGE", responseTemplates={"application/json": '{"too": "large"}'})
    api.deploy()
    answer = api.call("POST", "/a", body=b"x" * 10_485_761)
    assert (answer.status, answer.json) == (413, {"too": "large"})
    other = api.call("POST", "/a", stage="none", body=b"x" * 10_485_761)
    assert other.status in (403, 413)


def test_a_value_from_the_request_cannot_make_headers(api):
    api.mock("GET", "a")
    put(
        api,
        "MISSING_AUTHENTICATION_TOKEN",
        responseParameters={"gatewayresponse.header.X-Query": "method.request.querystring.q"},
    )
    api.deploy()
    answer = api.call("GET", "/nowhere?q=a%0d%0aX-Evil:%201")
    assert answer.headers["X-Evil"] is None
    assert answer.headers["X-Query"] is None


def test_a_form_is_patched_part_by_part(api):
    one = {"restApiId": api.id, "responseType": "THROTTLED"}
    changed = api.client.update_gateway_response(
        **one,
        patchOperations=[
            {"op": "replace", "path": "/statusCode", "value": "420"},
            {
                "op": "add",
                "path": "/responseParameters/gatewayresponse.header.Retry-After",
                "value": "'1'",
            },
            {"op": "add", "path": "/responseTemplates/text~1plain", "value": "slower"},
        ],
    )
    del changed["ResponseMetadata"]
    assert changed == {
        "responseType": "THROTTLED",
        "statusCode": "420",
        "responseParameters": {"gatewayresponse.header.Retry-After": "'1'"},
        "responseTemplates": {"text/plain": "slower"},
        "defaultResponse": False,
    }
    api.client.delete_gateway_response(**one)
    with refused("NotFoundException", "Gateway response type not defined on api"):
        api.client.delete_gateway_response(**one)


@pytest.mark.parametrize(
    "members",
    [
        {"responseParameters": {"gatewayresponse.body.x": "'1'"}},
        {"responseParameters": {"gatewayresponse.header.X": "integration.response.header.Y"}},
        {"responseParameters": {"gatewayresponse.header.X": "'a\r\nb'"}},
        {"responseTemplates": {"no type": "x"}},
    ],
)
def test_what_a_form_may_not_say(api, members):
    with refused("BadRequestException"):
        put(api, "THROTTLED", **members)
    with refused("ValidationException"):
        put(api, "THROTTLED", statusCode="42")


def test_there_are_no_other_types(api, client):
    with refused("NotFoundException"):
        client.get_gateway_response(restApiId="none", responseType="THROTTLED")
    with refused("NotFoundException"):
        put(type(api)(client, api.endpoint, "none", ""), "THROTTLED")


def test_forms_survive_a_power_cut(new_cloud):
    from tests.services.apigateway.conftest import Api

    cloud = new_cloud()
    client = cloud.client("apigateway")
    made = client.create_rest_api(name="x")
    api = Api(client, cloud.endpoint, made["id"], made["rootResourceId"])
    api.mock("GET", "a")
    put(api, "MISSING_AUTHENTICATION_TOKEN", statusCode="410")
    api.deploy()
    cloud.kill()
    cloud.start()
    api.endpoint = cloud.endpoint
    assert api.call("GET", "/b").status == 410
    assert json.loads(api.call("GET", "/b").body) == {"message": "Missing Authentication Token"}
