from cumulet.core.http import Request
from cumulet.wire.codec import read_request, write_response


def test_bodies_are_read_beside_the_path(catalog):
    model = catalog.service("apigateway")
    request = Request("PUT", "/restapis/a/resources/b/methods/GET")
    body = b'{"authorizationType": "NONE", "apiKeyRequired": false, "unknown": 1}'
    assert read_request(model, model.operation("PutMethod"), "rest-json", request, body) == {
        "restApiId": "a",
        "resourceId": "b",
        "httpMethod": "GET",
        "authorizationType": "NONE",
        "apiKeyRequired": False,
    }


def test_bodies_are_written_less_what_travels_elsewhere(catalog):
    model = catalog.service("lambda")
    output = {"FunctionName": "f", "LastModified": "x", "Version": None}
    response = write_response(
        model, model.operation("GetFunctionConfiguration"), "rest-json", output, "id"
    )
    assert response.body == b'{"FunctionName":"f","LastModified":"x"}'
    assert response.headers == [("x-amzn-requestid", "id"), ("content-type", "application/json")]
