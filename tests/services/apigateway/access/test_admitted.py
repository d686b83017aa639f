"""Deployed APIs with real authorizers: who is asked, when again, and as whom.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
"""

from __future__ import annotations

import json

import pytest
from tests.services.apigateway.access.conftest import (
    AUTHORIZER,
    make_function,
    unique,
    uri_of,
)

SAID = '{"asked": "$context.authorizer.asked", "who": "$context.authorizer.principalId"}'


def judged(client, api, function, **settings):
    """`GET /` behind an authorizer; the authorizer's id."""
    made = client.create_authorizer(
        restApiId=api.id,
        **{
            "name": "judge",
            "type": "TOKEN",
            "authorizerUri": uri_of(function),
            "identitySource": "method.request.header.X-Who",
            **settings,
        },
    )["id"]
    api.mock("GET", template=SAID, auth="CUSTOM", authorizerId=made)
    api.deploy()
    return made


def ask(api, who="ann", path="/"):
    return api.call("GET", path, headers={"X-Who": who} if who else {})


@pytest.mark.parametrize(
    ("who", "status", "kind", "body"),
    [
        ("", 401, "UnauthorizedException", {"message": "Unauthorized"}),
        ("nobody", 401, "UnauthorizedException", {"message": "Unauthorized"}),
        ("deny", 403, "AccessDeniedException",
         {"Message": "User is not authorized to access this resource with an explicit deny"}),
        ("elsewhere", 403, "AccessDeniedException",
         {"Message": "User is not authorized to access this resource"}),
        ("crash", 500, "AuthorizerFailureException", {"message": None}),
        ("malformed", 500, "AuthorizerConfigurationException", {"message": None}),
        ("nested", 500, "AuthorizerConfigurationException", {"message": None}),
    ],
)  # fmt: skip
def test_a_token_that_is_refused(client, api, function, who, status, kind, body):
    judged(client, api, function)
    answer = ask(api, who)
    assert (answer.status, answer.headers["x-amzn-ErrorType"], answer.json) == (status, kind, body)
    assert answer.headers["x-amzn-RequestId"]


def test_an_answer_is_kept_until_the_stage_is_flushed_or_redeployed(client, api, function):
    judged(client, api, function)
    first = ask(api).json
    assert first["who"] == "ann"
    assert ask(api).json == first
    client.flush_stage_authorizers_cache(restApiId=api.id, stageName="prod")
    second = ask(api).json
    assert int(second["asked"]) > int(first["asked"])
    assert ask(api).json == second
    api.deploy()
    assert int(ask(api).json["asked"]) > int(second["asked"])


def test_a_change_of_an_authorizer_counts_from_the_next_deployment_on(client, api, function):
    one = judged(client, api, function)
    client.update_authorizer(
        restApiId=api.id,
        authorizerId=one,
        patchOperations=[
            {
                "op": "replace",
                "path": "/identitySource",
                "value": "method.request.header.X-Other",
            }
        ],
    )
    assert ask(api).status == 200
    api.deploy()
    assert ask(api).status == 401


def test_a_request_authorizer_looks_where_it_is_told(client, api, function):
    judged(
        client,
        api,
        function,
        type="REQUEST",
        identitySource="method.request.header.X-Who, method.request.querystring.q",
    )
    assert ask(api).status == 401
    assert ask(api, path="/?q=1").status == 200
    assert ask(api, "deny", path="/?q=1").status == 403


def test_the_functions_policy_must_let_the_authorizer(cloud, client, api):
    name = unique("auth")
    arn, role = make_function(cloud, AUTHORIZER, name)
    one = judged(client, api, arn, authorizerResultTtlInSeconds=0)
    refusal = ask(api)
    assert (refusal.status, refusal.json) == (500, {"message": None})
    assert refusal.headers["x-amzn-ErrorType"] == "AuthorizerConfigurationException"
    account = cloud.client("sts").get_caller_identity()["Account"]
    cloud.client("lambda").add_permission(
        FunctionName=name,
        StatementId="one",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:us-east-1:{account}:{api.id}/authorizers/{one}",
    )
    assert ask(api).status == 200
    cloud.client("lambda").remove_permission(FunctionName=name, StatementId="one")
    assert ask(api).status == 500
    client.update_authorizer(
        restApiId=api.id,
        authorizerId=one,
        patchOperations=[{"op": "add", "path": "/authorizerCredentials", "value": role}],
    )
    api.deploy()
    assert ask(api).status == 500
    cloud.client("iam").put_role_policy(
        RoleName=name,
        PolicyName="invoke",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn}
                ],
            }
        ),
    )
    assert ask(api).status == 200
    cloud.client("lambda").delete_function(FunctionName=name)


def test_the_authorizer_gives_the_key(client, api, made, function):
    client.update_rest_api(
        restApiId=api.id,
        patchOperations=[{"op": "replace", "path": "/apiKeySource", "value": "AUTHORIZER"}],
    )
    one = client.create_authorizer(
        restApiId=api.id,
        name="judge",
        type="TOKEN",
        authorizerUri=uri_of(function),
        identitySource="method.request.header.X-Who",
    )["id"]
    api.mock("GET", auth="CUSTOM", authorizerId=one, apiKeyRequired=True)
    api.deploy()
    _, _, value = made.opened(api, quota={"limit": 2, "period": "DAY"})
    assert ask(api).status == 403
    assert [ask(api, f"key:{value}").status for _ in range(3)] == [200, 200, 429]


def test_a_key_opens_its_stages_while_it_is_enabled(client, api, made):
    api.mock("GET", apiKeyRequired=True, template='"$context.identity.apiKeyId"')
    deployment = api.deploy()
    client.create_stage(restApiId=api.id, stageName="other", deploymentId=deployment)
    plan, key, value = made.opened(api)
    headers = {"X-API-Key": value}
    assert api.call("GET", "/", headers=headers).json == key
    refusals = [
        api.call("GET", "/"),
        api.call("GET", "/", headers={"X-API-Key": value + "x"}),
        api.call("GET", "/", headers=headers, stage="other"),
    ]
    for change, path in (("false", "/enabled"), ("true", "/enabled")):
        client.update_api_key(
            apiKey=key, patchOperations=[{"op": "replace", "path": path, "value": change}]
        )
        answer = api.call("GET", "/", headers=headers)
        if change == "false":
            refusals.append(answer)
        else:
            assert answer.status == 200
    client.delete_usage_plan_key(usagePlanId=plan, keyId=key)
    refusals.append(api.call("GET", "/", headers=headers))
    for answer in refusals:
        assert (answer.status, answer.json) == (403, {"message": "Forbidden"})
        assert answer.headers["x-amzn-ErrorType"] == "ForbiddenException"


def test_a_stages_throttle_is_changed_at_once(client, api):
    api.mock("GET", "pets")
    api.deploy()

    def throttle(burst):
        client.update_stage(
            restApiId=api.id,
            stageName="prod",
            patchOperations=[
                {"op": "replace", "path": "/~1pets/GET/throttling/rateLimit", "value": "0"},
                {"op": "replace", "path": "/~1pets/GET/throttling/burstLimit", "value": str(burst)},
            ],
        )

    throttle(2)
    assert [api.call("GET", "/pets").status for _ in range(4)] == [200, 200, 429, 429]
    throttle(-1)
    assert [api.call("GET", "/pets").status for _ in range(4)] == [200] * 4
