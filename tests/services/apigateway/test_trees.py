"""Resources, methods, integrations and their responses; the sentences are AWS's own.

https://docs.aws.amazon.com/apigateway/latest/api/API_Resource.html
"""

from __future__ import annotations

import pytest
from tests.services.apigateway.conftest import MOCK, refused

LAMBDA = (
    "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
    "arn:aws:lambda:us-east-1:123456789012:function:f/invocations"
)


def shown(answer):
    answer.pop("ResponseMetadata")
    return answer


def test_resources_are_made_and_listed_by_path(client, api):
    pets = client.create_resource(restApiId=api.id, parentId=api.root, pathPart="pets")
    assert shown(pets) == {
        "id": pets["id"],
        "parentId": api.root,
        "path": "/pets",
        "pathPart": "pets",
    }
    api.mock("GET", "pets", "{id}")
    items = client.get_resources(restApiId=api.id)["items"]
    assert [one["path"] for one in items] == ["/", "/pets", "/pets/{id}"]
    assert items[2]["resourceMethods"] == {"GET": {}}
    embedded = client.get_resource(restApiId=api.id, resourceId=items[2]["id"], embed=["methods"])
    assert embedded["resourceMethods"]["GET"]["methodIntegration"]["type"] == "MOCK"


def test_resources_are_renamed_and_moved_with_all_below(client, api):
    api.resource("pets", "sub", "leaf")
    pets, sub = api.resource("pets"), api.resource("pets", "sub")

    def patch(resource, path, value, op="replace"):
        return client.update_resource(
            restApiId=api.id,
            resourceId=resource,
            patchOperations=[{"op": op, "path": path, "value": value}],
        )

    assert patch(pets, "/pathPart", "dogs")["path"] == "/dogs"
    assert patch(sub, "/parentId", api.root)["path"] == "/sub"
    paths = [one["path"] for one in client.get_resources(restApiId=api.id)["items"]]
    assert paths == ["/", "/dogs", "/sub", "/sub/leaf"]
    with refused("BadRequestException", "Resources cannot be cyclical."):
        patch(sub, "/parentId", api.resource("sub", "leaf"))
    with refused(
        "ConflictException", "Another resource with the same parent already has this name: dogs"
    ):
        patch(sub, "/pathPart", "dogs")
    with refused("BadRequestException", "Root resource cannot update its pathPart."):
        patch(api.root, "/pathPart", "x")
    with refused("BadRequestException", "Root resource cannot update its parentId."):
        patch(api.root, "/parentId", pets)
    with refused("NotFoundException", "Invalid Resource identifier specified"):
        patch(sub, "/parentId", "none")
    with refused(
        "BadRequestException",
        "Invalid patch path  '/invalid' specified for op 'replace'. "
        "Must be one of: [/parentId, /pathPart]",
    ):
        patch(sub, "/invalid", "x")


def test_removing_a_resource_removes_all_below(client, api):
    leaf = api.resource("a", "b")
    client.delete_resource(restApiId=api.id, resourceId=api.resource("a"))
    with refused("NotFoundException", "Invalid Resource identifier specified"):
        client.get_resource(restApiId=api.id, resourceId=leaf)
    with refused("BadRequestException"):
        client.delete_resource(restApiId=api.id, resourceId=api.root)


def test_places_that_a_path_part_may_not_take(client, api):
    def make(part, parent):
        client.create_resource(restApiId=api.id, parentId=parent, pathPart=part)

    greedy = api.resource("{proxy+}")
    with refused(
        "BadRequestException",
        "A sibling ({proxy+}) of this resource already has a variable path part -- only one "
        "is allowed",
    ):
        make("{id}", api.root)
    with refused(
        "BadRequestException",
        "Cannot create a child of a resource with a greedy path variable: {proxy+}",
    ):
        make("x", greedy)
    with refused("NotFoundException", "Invalid Resource identifier specified"):
        make("x", "none")
    for part in ("a/b", "a b", "{a", "", "{}", "%2f", "\u00e9"):
        with refused("BadRequestException"):
            make(part, api.root)


def test_a_method_lives(client, api):
    place = api.method("ANY")
    made = shown(client.get_method(**place))
    assert made == {"apiKeyRequired": False, "authorizationType": "NONE", "httpMethod": "ANY"}
    changed = client.update_method(
        **place,
        patchOperations=[
            {"op": "add", "path": "/requestParameters/method.request.header.x", "value": "true"},
            {"op": "replace", "path": "/operationName", "value": "op"},
            {"op": "replace", "path": "/authorizationType", "value": "AWS_IAM"},
        ],
    )
    assert changed["requestParameters"] == {"method.request.header.x": True}
    assert (changed["operationName"], changed["authorizationType"]) == ("op", "AWS_IAM")
    with refused("ConflictException", "Method already exists for this resource"):
        api.method("ANY")
    client.delete_method(**place)
    with refused("NotFoundException", "Invalid Method identifier specified"):
        client.get_method(**place)


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        (
            {"httpMethod": "BREW"},
            "BadRequestException",
            "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,"
            "HEAD,ANY",
        ),
        ({"restApiId": "none"}, "NotFoundException", "Invalid Resource identifier specified"),
        ({"resourceId": "none"}, "NotFoundException", "Invalid Resource identifier specified"),
        (
            {"authorizationType": "CUSTOM"},
            "BadRequestException",
            "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or "
            "COGNITO_USER_POOLS requires a valid authorizer.",
        ),
        (
            {"authorizationScopes": ["read"]},
            "BadRequestException",
            "Authorization scopes can be specified for COGNITO_USER_POOLS authorization only",
        ),
        (
            {"requestValidatorId": "none"},
            "BadRequestException",
            "Invalid Request Validator identifier specified",
        ),
        (
            {"requestModels": {"application/json": "petModel"}},
            "BadRequestException",
            "Invalid model identifier specified: petModel",
        ),
        (
            {
                "requestParameters": {
                    "method.request.header.a": True,
                    "method.request.querystring.a": True,
                }
            },
            "BadRequestException",
            "Parameter names must be unique across querystring, header and path",
        ),
    ],
)
def test_methods_are_checked(client, api, settings, code, words):
    given = {
        "restApiId": api.id,
        "resourceId": api.root,
        "httpMethod": "GET",
        "authorizationType": "NONE",
        **settings,
    }
    with refused(code, words):
        client.put_method(**given)


def test_a_method_response_lives(client, api):
    place = {**api.method("GET"), "statusCode": "200"}
    made = client.put_method_response(**place, responseParameters={}, responseModels={})
    assert shown(made) == {"statusCode": "200", "responseParameters": {}, "responseModels": {}}
    changed = client.update_method_response(
        **place,
        patchOperations=[
            {"op": "add", "path": "/responseParameters/method.response.header.x", "value": "true"},
            {"op": "add", "path": "/responseModels/application~1json", "value": "Empty"},
        ],
    )
    assert changed["responseParameters"] == {"method.response.header.x": True}
    assert changed["responseModels"] == {"application/json": "Empty"}
    client.delete_method_response(**place)
    with refused("NotFoundException", "Invalid Response status code specified"):
        client.get_method_response(**place)


def test_an_integration_lives(client, api):
    place = api.method("GET")
    with refused("NotFoundException", "Invalid Integration identifier specified"):
        client.get_integration(**place)
    made = shown(client.put_integration(**place, type="MOCK", requestTemplates=MOCK))
    assert made == {
        "type": "MOCK",
        "requestTemplates": MOCK,
        "passthroughBehavior": "WHEN_NO_MATCH",
        "timeoutInMillis": 29000,
        "cacheNamespace": api.root,
        "cacheKeyParameters": [],
    }
    assert shown(client.get_integration(**place)) == made
    changed = client.update_integration(
        **place,
        patchOperations=[
            {"op": "replace", "path": "/timeoutInMillis", "value": "50"},
            {"op": "add", "path": "/requestTemplates/text~1plain", "value": "x"},
            {"op": "add", "path": "/cacheKeyParameters/method.request.path.x"},
        ],
    )
    assert changed["timeoutInMillis"] == 50
    assert changed["requestTemplates"]["text/plain"] == "x"
    assert changed["cacheKeyParameters"] == ["method.request.path.x"]
    client.delete_integration(**place)
    with refused("NotFoundException", "Invalid Integration identifier specified"):
        client.get_integration(**place)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"type": "HTTP"}, "Enumeration value for HttpMethod must be non-empty"),
        (
            {"type": "HTTP", "integrationHttpMethod": "GET", "uri": "x"},
            "Invalid HTTP endpoint specified for URI",
        ),
        (
            {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": "non-arn"},
            "Invalid ARN specified in the request",
        ),
        (
            {
                "type": "AWS_PROXY",
                "integrationHttpMethod": "POST",
                "uri": "arn:aws:lambda:us-east-1:123456789012:function:f",
            },
            "AWS ARN for integration must contain path or action",
        ),
        (
            {
                "type": "AWS_PROXY",
                "integrationHttpMethod": "POST",
                "uri": "arn:aws:apigateway:us-east-1:s3:path/b/k",
            },
            "Integrations of type 'AWS_PROXY' currently only supports Lambda function and "
            "Firehose stream invocations.",
        ),
        (
            {
                "type": "AWS",
                "integrationHttpMethod": "POST",
                "uri": "arn:aws:apigateway:us-east-1:sqs:action/SendMessage",
            },
            "Role ARN must be specified for AWS integrations",
        ),
        (
            {"type": "MOCK", "timeoutInMillis": 30_000},
            "Timeout should be between 50 ms and 29000 ms",
        ),
        (
            {"type": "MOCK", "connectionType": "VPC_LINK"},
            "VPC links are not supported by Cumulet yet.",
        ),
        (
            {"type": "MOCK", "requestTemplates": {"123": "{}"}},
            "Validation Result: warnings : [], errors : [Invalid content type specified: 123]",
        ),
        (
            {
                "type": "MOCK",
                "requestParameters": {"integration.request.header.a": "method.request.header.b"},
            },
            "Invalid mapping expression specified: Validation Result: warnings : [], errors : "
            "[Invalid mapping expression parameter specified: method.request.header.b]",
        ),
    ],
)
def test_integrations_are_checked(client, api, settings, words):
    place = api.method("GET")
    with refused("BadRequestException", words):
        client.put_integration(**place, **settings)


def test_a_template_that_cannot_be_read_is_refused(client, api):
    place = api.method("GET")
    with refused("BadRequestException"):
        client.put_integration(
            **place, type="MOCK", requestTemplates={"application/json": "#if(true)"}
        )


def test_an_integration_response_lives(client, api):
    place = api.mock("GET")
    response = {**place, "statusCode": "200"}
    client.put_integration_response(
        **response, selectionPattern="", responseTemplates={"application/json": ""}
    )
    found = shown(client.get_integration_response(**response))
    assert found == {
        "statusCode": "200",
        "selectionPattern": "",
        "responseTemplates": {"application/json": None},
    }
    changed = client.update_integration_response(
        **response,
        patchOperations=[{"op": "replace", "path": "/selectionPattern", "value": "2.."}],
    )
    assert changed["selectionPattern"] == "2.."
    alone = client.put_integration_response(**place, statusCode="404")
    assert alone["statusCode"] == "404"
    with refused(
        "BadRequestException",
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : "
        "[Invalid mapping expression parameter specified: method.response.header.X]",
    ):
        client.put_integration_response(
            **response, responseParameters={"method.response.header.X": "'1'"}
        )
    client.delete_integration_response(**response)
    with refused("NotFoundException", "Invalid Response status code specified"):
        client.get_integration_response(**response)
    with refused("NotFoundException", "Invalid Integration identifier specified"):
        client.delete_integration_response(**{**response, "httpMethod": "PUT"})


def test_models_live_and_are_kept_while_they_are_used(client, api):
    made = client.create_model(
        restApiId=api.id, name="Pet", contentType="application/json", schema='{"type": "object"}'
    )
    assert client.get_model(restApiId=api.id, modelName="Pet")["id"] == made["id"]
    template = client.get_model_template(restApiId=api.id, modelName="Pet")["value"]
    assert template.startswith("#set($inputRoot = $input.path('$'))\n{")
    place = api.method("POST", requestModels={"application/json": "Pet"})
    with refused(
        "ConflictException", "Cannot delete model 'Pet', is referenced in method request: //POST"
    ):
        client.delete_model(restApiId=api.id, modelName="Pet")
    with refused("ConflictException", "Model name already exists for this REST API"):
        client.create_model(
            restApiId=api.id, name="Pet", contentType="application/json", schema="{}"
        )
    with refused("BadRequestException"):
        client.update_model(
            restApiId=api.id,
            modelName="Pet",
            patchOperations=[{"op": "replace", "path": "/schema", "value": '{"type": "x"}'}],
        )
    client.delete_method(**place)
    client.delete_model(restApiId=api.id, modelName="Pet")
    with refused("NotFoundException", "Invalid model name specified: Pet"):
        client.get_model(restApiId=api.id, modelName="Pet")


def test_request_validators_live_and_are_kept_while_they_are_used(client, api):
    made = client.create_request_validator(
        restApiId=api.id, name="v", validateRequestBody=True, validateRequestParameters=False
    )
    one = {"restApiId": api.id, "requestValidatorId": made["id"]}
    changed = client.update_request_validator(
        **one,
        patchOperations=[{"op": "replace", "path": "/validateRequestBody", "value": "false"}],
    )
    assert changed["validateRequestBody"] is False
    assert len(client.get_request_validators(restApiId=api.id)["items"]) == 1
    place = api.method("POST", requestValidatorId=made["id"])
    with refused("ConflictException"):
        client.delete_request_validator(**one)
    client.delete_method(**place)
    client.delete_request_validator(**one)
    with refused("NotFoundException", "Invalid Request Validator identifier specified"):
        client.get_request_validator(**one)
