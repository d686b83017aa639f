"""Which route answers, at which address.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
"""

from __future__ import annotations

import pytest


@pytest.fixture
def named(http_api, backend):
    """An API whose routes each lead to a backend's path that tells the route."""

    def add(key: str, path: str) -> None:
        http_api.route(key, http_api.http(f"{backend.url}{path}"))

    for key, path in (
        ("GET /pets/dog/1", "/dog-1"),
        ("GET /pets/dog/{id}", "/dog-id"),
        ("GET /pets/{proxy+}", "/pets-greedy"),
        ("ANY /{proxy+}", "/any-greedy"),
        ("POST /pets/dog/{name}", "/dog-post"),
        ("GET /", "/root"),
        ("GET /slash/", "/with-slash"),
        ("$default", "/default"),
    ):
        add(key, path)
    return http_api


@pytest.mark.parametrize(
    ("verb", "path", "backend_path"),
    [
        # The first four are the example of AWS's page.
        ("GET", "/pets/dog/1", "/dog-1"),
        ("GET", "/pets/dog/2", "/dog-id"),
        ("GET", "/pets/cat/1", "/pets-greedy"),
        ("POST", "/test/5", "/any-greedy"),
        ("POST", "/pets/dog/rex", "/dog-post"),
        ("PUT", "/pets/dog/1", "/any-greedy"),
        ("GET", "/", "/root"),
        ("POST", "/", "/default"),
        ("GET", "/slash/", "/with-slash"),
        ("GET", "/slash", "/any-greedy"),
        ("GET", "/pets/dog/%31", "/dog-1"),
    ],
)
def test_the_most_particular_route_answers(named, backend, verb, path, backend_path):
    answer = named.call(verb, path, body=b"" if verb != "GET" else None)
    assert answer.status == 200
    assert answer.json["path"].partition("?")[0] == backend_path


def test_nothing_that_matches_is_not_found(http_api, backend):
    http_api.route("GET /only", http_api.http(backend.url))
    for verb, path in (("GET", "/other"), ("POST", "/only"), ("GET", "/only/"), ("BREW", "/only")):
        answer = http_api.call(verb, path)
        assert (answer.status, answer.body) == (404, b'{"message":"Not Found"}')
        assert answer.headers["Content-Type"] == "application/json"
        assert len(answer.headers["apigw-requestid"]) == 16
        assert "x-amzn-errortype" not in answer.headers


def test_a_named_stage_goes_before_the_default_one(v2, http_api, backend):
    http_api.route("GET /x", http_api.http(backend.url + "/${stageVariables.where}"))
    for name in ("$default", "prod"):
        place = {"ApiId": http_api.id, "StageName": name}
        where = {"where": name.strip("$")}
        if name == "prod":
            v2.create_stage(**place, AutoDeploy=True, StageVariables=where)
        else:
            v2.update_stage(**place, StageVariables=where)
    assert http_api.call("GET", "/x").json["path"] == "/default"
    assert http_api.call("GET", "/prod/x").json["path"] == "/prod"
    assert http_api.call("GET", "/other/x").status == 404


def test_path_forms_name_the_stage(v2, http_api, backend, cloud):
    http_api.route("GET /x", http_api.http(backend.url))
    v2.create_stage(ApiId=http_api.id, StageName="prod", AutoDeploy=True)
    host = cloud.endpoint.removeprefix("http://")
    for path in (
        f"/_aws/execute-api/{http_api.id}/prod/x",
        f"/_aws/execute-api/{http_api.id}/%24default/x",
        f"/restapis/{http_api.id}/prod/_user_request_/x",
    ):
        assert http_api.call("GET", path, host=host).status == 200
    other = f"/_aws/execute-api/{http_api.id}/other/x"
    assert http_api.call("GET", other, host=host).status == 404


def test_a_stage_without_deployment_is_not_found(v2, made, http_api):
    api = made()["ApiId"]
    v2.create_stage(ApiId=api, StageName="$default")
    answer = http_api.call("GET", "/", host=f"{api}.execute-api.localhost")
    assert (answer.status, answer.body) == (404, b'{"message":"Not Found"}')


def test_an_api_that_is_not_there_is_forbidden(http_api):
    answer = http_api.call("GET", "/", host="abcdefghij.execute-api.localhost")
    assert (answer.status, answer.body) == (403, b'{"message":"Forbidden"}')


# https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-disable-default-endpoint.html
def test_a_closed_address_answers_not_found_once_deployed(v2, http_api, backend):
    http_api.route("GET /x", http_api.http(backend.url))
    assert http_api.call("GET", "/x").status == 200
    v2.update_api(ApiId=http_api.id, DisableExecuteApiEndpoint=True)
    answer = http_api.call("GET", "/x")
    assert (answer.status, answer.body) == (404, b'{"message":"Not Found"}')
    v2.update_api(ApiId=http_api.id, DisableExecuteApiEndpoint=False)
    assert http_api.call("GET", "/x").status == 200


def test_a_stage_serves_what_was_deployed(v2, http_api, backend):
    v2.update_stage(ApiId=http_api.id, StageName="$default", AutoDeploy=False)
    http_api.route("GET /x", http_api.http(backend.url))
    assert http_api.call("GET", "/x").status == 404
    v2.create_deployment(ApiId=http_api.id, StageName="$default")
    assert http_api.call("GET", "/x").status == 200
    http_api.route("GET /y", http_api.http(backend.url))
    assert http_api.call("GET", "/y").status == 404


def test_a_route_without_integration_fails(v2, http_api):
    v2.create_route(ApiId=http_api.id, RouteKey="GET /x")
    answer = http_api.call("GET", "/x")
    assert (answer.status, answer.body) == (500, b'{"message":"Internal Server Error"}')


def test_what_is_too_large_is_refused(http_api, backend):
    http_api.route("ANY /x", http_api.http(backend.url))
    answer = http_api.call("GET", "/x", headers={"a": "b" * 10_300})
    assert (answer.status, answer.body) == (
        431,
        b'{"message":"Request Header Fields Too Large"}',
    )
    answer = http_api.call("POST", "/x", body=b"x" * 10_485_761)
    assert (answer.status, answer.body) == (413, b'{"message":"Request Entity Too Large"}')


def test_a_websocket_api_takes_no_plain_requests(v2, made, http_api):
    api = made("WEBSOCKET")["ApiId"]
    v2.create_route(ApiId=api, RouteKey="$default")
    v2.create_stage(ApiId=api, StageName="s", AutoDeploy=True)
    answer = http_api.call("GET", "/s", host=f"{api}.execute-api.localhost")
    assert (answer.status, answer.body) == (403, b'{"message":"Forbidden"}')
