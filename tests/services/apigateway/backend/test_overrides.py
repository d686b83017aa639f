"""What templates override of requests and answers, and which answer a pattern chooses.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html
"""

from __future__ import annotations

import json

from tests.services.apigateway.backend.conftest import lambda_uri, responses

REQUEST = """
#set($context.requestOverride.header.X-Made = "${stageVariables.v}-$input.params('q')")
#set($context.requestOverride.path.id = $input.path('$.id'))
#set($context.requestOverride.querystring.from = 'template')
#set($allParams = $input.params())
{"names": [#foreach($kind in $allParams.keySet())"$kind"#if($foreach.hasNext),#end#end],
 "agent": "$context.identity.userAgent", "body": $input.json('$.inner')}
"""
ANSWER = """
#set($context.responseOverride.status = 218)
#set($context.responseOverride.header.X-Seen = $input.path('$.path'))
$input.body
"""


def test_overrides_of_request_and_answer(api, backend):
    place = api.method("POST", "{id}", requestParameters={"method.request.path.id": True})
    api.client.put_integration(
        **place,
        type="HTTP",
        integrationHttpMethod="PUT",
        uri=backend.url + "/things/{id}",
        requestParameters={
            "integration.request.path.id": "method.request.path.id",
            "integration.request.querystring.from": "'mapping'",
        },
        requestTemplates={"application/json": REQUEST},
    )
    responses(api, place, "200", responseTemplates={"application/json": ANSWER})
    api.deploy(variables={"v": "one"})
    answer = api.call(
        "POST",
        "/first?q=two",
        headers={"User-Agent": "me", "Content-Type": "application/json; charset=utf-8"},
        body=b'{"id": "second part", "inner": {"a": [1, "b"]}}',
    )
    assert (answer.status, answer.headers["X-Seen"]) == (
        218,
        "/things/second%20part?from=template",
    )
    seen = answer.json
    assert (seen["method"], seen["headers"]["x-made"]) == ("PUT", "one-two")
    assert json.loads(seen["body"]) == {
        "names": ["path", "querystring", "header"],
        "agent": "me",
        "body": {"a": [1, "b"]},
    }


def test_an_override_cannot_climb_or_break_headers(api, backend):
    for part, template in (
        ("climb", "#set($context.requestOverride.path.id = '../admin'){}"),
        ("split", "#set($context.requestOverride.header.X-A = \"a$util.urlDecode('%0d%0a')b\"){}"),
        ("length", "#set($context.requestOverride.header.Content-Length = '1'){}"),
    ):
        place = api.method("POST", part)
        api.client.put_integration(
            **place,
            type="HTTP",
            integrationHttpMethod="POST",
            uri=backend.url + "/things/{id}",
            requestTemplates={"application/json": template},
        )
        responses(api, place, "200")
    api.deploy()
    assert api.call("POST", "/climb", body=b"{}").status == 400
    assert api.call("POST", "/split", body=b"{}").status in (500, 504)
    assert api.call("POST", "/length", body=b"{}").status == 500
    assert backend.seen == []


def test_answers_are_chosen_by_status(api, backend):
    place = api.method("GET", requestParameters={"method.request.header.X-Want-Status": False})
    api.client.put_integration(
        **place,
        type="HTTP",
        integrationHttpMethod="GET",
        uri=backend.url,
        requestParameters={
            "integration.request.header.X-Want-Status": "method.request.header.X-Want-Status"
        },
    )
    for code, pattern in (("200", None), ("404", r"4\d{2}"), ("502", "5.*")):
        api.client.put_method_response(**place, statusCode=code)
        more = {"selectionPattern": pattern} if pattern else {}
        api.client.put_integration_response(**place, statusCode=code, **more)
    api.deploy()
    for given, chosen in (("201", 200), ("418", 404), ("503", 502), ("302", 200)):
        assert api.call("GET", "/", headers={"X-Want-Status": given}).status == chosen


def test_answers_are_chosen_by_a_functions_error(api, function):
    arn = function(
        "def handler(event, context):\n"
        "    if event.get('fail'):\n"
        "        raise ValueError('[NotFound]\\nno ' + event['fail'])\n"
        "    return {'fine': True}\n"
    )
    place = api.method("POST")
    api.client.put_integration(
        **place, type="AWS", integrationHttpMethod="POST", uri=lambda_uri(arn)
    )
    for code, pattern in (("200", None), ("404", r"\[NotFound\].*"), ("500", r"(\n|.)+")):
        api.client.put_method_response(**place, statusCode=code)
        template = "$input.path('$.errorMessage')" if pattern else "$input.json('$.fine')"
        api.client.put_integration_response(
            **place,
            statusCode=code,
            **({"selectionPattern": pattern} if pattern else {}),
            responseTemplates={"application/json": template},
        )
    api.deploy()
    fine = api.call("POST", "/", body=b"{}")
    assert (fine.status, fine.body) == (200, b"true")
    lost = api.call("POST", "/", body=b'{"fail": "thing"}')
    assert (lost.status, lost.body) == (404, b"[NotFound]\nno thing")


def test_a_pattern_that_takes_too_long_is_an_error(api, function):
    arn = function("def handler(event, context):\n    raise ValueError('a' * 60 + 'c')\n")
    place = api.method("POST")
    api.client.put_integration(
        **place, type="AWS", integrationHttpMethod="POST", uri=lambda_uri(arn)
    )
    for code, pattern in (("200", None), ("400", "(a|a)*$")):
        api.client.put_method_response(**place, statusCode=code)
        api.client.put_integration_response(
            **place, statusCode=code, **({"selectionPattern": pattern} if pattern else {})
        )
    api.deploy()
    answer = api.call("POST", "/", body=b"{}")
    assert (answer.status, answer.json) == (500, {"message": "Internal server error"})
