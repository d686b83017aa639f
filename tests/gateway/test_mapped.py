"""MOCK integrations and functions behind templates: mappings, templates, responses, overrides.

https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html
"""

from __future__ import annotations

import json

import pytest
from tests.gateway.cast import URI, method, stage_of

STATUS = {"application/json": '{"statusCode": 200}'}


def mock(responses, *, templates=None, **integration):
    return stage_of(
        {
            "/{id}": [
                method(
                    "ANY",
                    integration={
                        "type": "MOCK",
                        "uri": None,
                        "httpMethod": None,
                        "requestTemplates": templates or STATUS,
                        "integrationResponses": {
                            code: {"statusCode": code, **one} for code, one in responses.items()
                        },
                        **integration,
                    },
                )
            ]
        },
        variables={"v": "s1"},
    )


CORS = mock(
    {
        "200": {
            "responseParameters": {
                "method.response.header.Access-Control-Allow-Origin": "'*'",
                "method.response.header.Access-Control-Allow-Methods": "'GET,OPTIONS'",
            },
            "responseTemplates": {"application/json": "{}\n"},
        }
    },
    templates={"application/json": '{\n  "statusCode" : 200\n}\n'},
)


def test_cors_as_sam_writes_it(play):
    played = play(CORS, "OPTIONS", "/x", headers=[("Origin", "https://a.example")])
    assert (played.response.status, played.response.body) == (200, b"{}\n")
    assert played.response.headers == [
        ("x-amzn-RequestId", "req-1"),
        ("x-amz-apigw-id", "ext="),
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Methods", "GET,OPTIONS"),
        ("Content-Type", "application/json"),
    ]
    assert played.calls == []


@pytest.mark.parametrize(
    "template",
    ["{statusCode: 200}", "{'statusCode':200}", '{"statusCode": 200,}', '{"statusCode": "200"}'],
)
def test_loose_json_still_gives_a_status(play, template):
    stage = mock({"200": {}}, templates={"application/json": template})
    assert play(stage, "GET", "/x").response.status == 200


@pytest.mark.parametrize("template", ["{}", "[]", "nothing", '{"statusCode": "x"}', ""])
def test_a_template_without_a_status_is_a_server_error(play, template):
    stage = mock({"200": {}}, templates={"application/json": template})
    played = play(stage, "GET", "/x")
    assert (played.response.status, played.body) == (500, {"message": "Internal server error"})


def test_the_response_is_chosen_by_its_pattern(play):
    stage = mock(
        {"200": {}, "404": {"selectionPattern": "4\\d\\d"}},
        templates={"application/json": "{\"statusCode\": $input.params('id')}"},
    )
    assert play(stage, "GET", "/404").response.status == 404
    assert play(stage, "GET", "/499").response.status == 404
    assert play(stage, "GET", "/200").response.status == 200
    assert play(stage, "GET", "/503").response.status == 200


def test_no_response_that_fits_is_a_server_error(play):
    stage = mock({"404": {"selectionPattern": "404"}})
    assert play(stage, "GET", "/x").response.status == 500


def test_mappings_of_every_kind(play):
    stage = mock(
        {
            "200": {
                "responseParameters": {
                    "method.response.header.Static": "'a b'",
                    "method.response.header.Stage": "stageVariables.v",
                    "method.response.header.Id": "context.requestId",
                    "method.response.header.Ip": "context.identity.sourceIp",
                    "method.response.header.None": "integration.response.header.none",
                },
                "responseTemplates": {
                    "application/json": '{"id": "$input.params(\'id\')"}',
                    "text/plain": "id=$input.params('id')",
                },
            }
        }
    )
    played = play(stage, "GET", "/7", headers=[("Accept", "text/plain")])
    assert played.response.body == b"id=7"
    assert played.headers["content-type"] == "text/plain"
    assert played.headers["static"] == "a b"
    assert played.headers["stage"] == "s1"
    assert played.headers["id"] == "req-1"
    assert played.headers["ip"] == "127.0.0.1"
    assert "none" not in played.headers
    assert play(stage, "GET", "/7").body == {"id": "7"}


def test_a_template_overrides_status_and_headers(play):
    stage = mock(
        {
            "200": {
                "responseTemplates": {
                    "application/json": "#set($context.responseOverride.status = 418)"
                    "#set($context.responseOverride.header.X-Tea = 'green')tea"
                }
            }
        }
    )
    played = play(stage, "GET", "/x")
    assert (played.response.status, played.response.body) == (418, b"tea")
    assert played.headers["x-tea"] == "green"


def test_what_the_request_template_sets_reaches_the_response_template(play):
    stage = mock(
        {"200": {"responseTemplates": {"application/json": "$context.requestOverride.path.body"}}},
        templates={
            "application/json": "#set($context.requestOverride.path.body = $input.body)"
            '{"statusCode": 200}'
        },
    )
    assert play(stage, "POST", "/x", body=b'{"a":1}').response.body == b'{"a":1}'


@pytest.mark.parametrize(
    ("behaviour", "kind", "status"),
    [
        ("NEVER", "text/plain", 415),
        ("WHEN_NO_TEMPLATES", "text/plain", 415),
        ("NEVER", "application/json", 200),
        ("NEVER", "", 200),
    ],
)
def test_types_without_a_template(play, behaviour, kind, status):
    stage = mock({"200": {}}, passthroughBehavior=behaviour)
    headers = [("Content-Type", kind)] if kind else []
    played = play(stage, "POST", "/x", headers=headers, body=b"x")
    assert played.response.status == status
    if status == 415:
        assert played.body == {"message": "Unsupported Media Type"}
        assert played.headers["x-amzn-errortype"] == "BadRequestException"


FUNCTION = stage_of(
    {
        "/{id}": [
            method(
                "POST",
                integration={
                    "type": "AWS",
                    "uri": URI,
                    "requestTemplates": {
                        "application/json": '{"id": "$input.params(\'id\')",'
                        " \"name\": $input.json('$.name')}"
                    },
                    "integrationResponses": {
                        "200": {
                            "statusCode": "200",
                            "responseTemplates": {"application/json": "<$input.path('$.r')>"},
                        },
                        "404": {
                            "statusCode": "404",
                            "selectionPattern": "Not found.*",
                            "responseParameters": {
                                "method.response.header.Why": (
                                    "integration.response.body.errorMessage"
                                )
                            },
                        },
                    },
                },
            )
        ]
    }
)


def test_a_function_gets_what_the_template_makes(play):
    played = play(
        FUNCTION,
        "POST",
        "/7",
        body=b'{"name": "Ann"}',
        answers=lambda *_: {"StatusCode": 200, "Payload": b'{"r": 5}'},
    )
    assert played.event == {"id": "7", "name": "Ann"}
    assert (played.response.status, played.response.body) == (200, b"<5>")


def test_an_error_of_a_function_is_mapped_by_its_message(play):
    payload = json.dumps({"errorMessage": "Not found: 7", "errorType": "E"}).encode()
    played = play(
        FUNCTION,
        "POST",
        "/7",
        body=b"{}",
        answers=lambda *_: {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": payload},
    )
    assert played.response.status == 404
    assert played.headers["why"] == "Not found: 7"
    assert played.response.body == payload


def test_a_request_that_is_not_json_for_the_function_is_a_server_error(play):
    played = play(FUNCTION, "POST", "/7", headers=[("Content-Type", "text/x")], body=b"not json")
    assert played.response.status == 500
    assert played.calls == []
