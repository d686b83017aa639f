"""Statements: https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html"""

from __future__ import annotations

from cumulet.core.identity import ANONYMOUS, Principal, service_principal
from cumulet.kit.policy import IdentityPolicies, Question, decide
from cumulet.services.lambda_.forms.policies import function_statement, layer_statement, parsed
from cumulet.services.lambda_.model import Policy

ARN = "arn:aws:lambda:us-east-1:111122223333:function:f"
OWNER = "111122223333"


def allows(request: dict[str, object], caller: Principal, action: str, **keys: str) -> bool:
    statement = function_statement({"StatementId": "s", **request}, ARN)
    context = {name.replace("__", ":"): value for name, value in keys.items()}
    question = Question(caller, action, ARN, context)
    policies = parsed(Policy("f", "", (statement,), "r"))
    return decide(question, IdentityPolicies(), policies, OWNER).allowed


def test_a_service_is_let_in_for_its_source_only() -> None:
    given = {
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": "arn:aws:execute-api:us-east-1:111122223333:api/*/GET/x",
    }
    gateway = service_principal("apigateway.amazonaws.com", OWNER)
    events = service_principal("events.amazonaws.com", OWNER)
    source = "arn:aws:execute-api:us-east-1:111122223333:api/prod/GET/x"
    invoke = "lambda:InvokeFunction"
    assert allows(given, gateway, invoke, aws__SourceArn=source)
    assert not allows(given, gateway, invoke, aws__SourceArn=source.replace("api/", "other/"))
    assert not allows(given, gateway, invoke)
    assert not allows(given, events, invoke, aws__SourceArn=source)
    assert not allows(given, gateway, "lambda:GetFunction", aws__SourceArn=source)


def test_a_public_url_needs_its_auth_type() -> None:
    given = {
        "Action": "lambda:InvokeFunctionUrl",
        "Principal": "*",
        "FunctionUrlAuthType": "NONE",
    }
    action = "lambda:InvokeFunctionUrl"
    assert allows(given, ANONYMOUS, action, lambda__FunctionUrlAuthType="NONE")
    assert not allows(given, ANONYMOUS, action, lambda__FunctionUrlAuthType="AWS_IAM")


def test_a_public_invocation_may_be_for_urls_only() -> None:
    given = {
        "Action": "lambda:InvokeFunction",
        "Principal": "*",
        "InvokedViaFunctionUrl": True,
    }
    action = "lambda:InvokeFunction"
    assert allows(given, ANONYMOUS, action, lambda__InvokedViaFunctionUrl="true")
    assert not allows(given, ANONYMOUS, action)


def test_a_layer_is_shared_with_an_account_or_an_organization() -> None:
    request = {"StatementId": "s", "Action": "lambda:GetLayerVersion"}
    to_account = layer_statement({**request, "Principal": "444455556666"}, "arn")
    assert to_account["Principal"] == {"AWS": "arn:aws:iam::444455556666:root"}
    to_all = layer_statement({**request, "Principal": "*", "OrganizationId": "o-1234567890"}, "arn")
    assert to_all["Principal"] == "*"
    assert to_all["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}
