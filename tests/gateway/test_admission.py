"""Who gets in: unknown places, signatures and policies, with every refusal's words and headers.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
"""

from __future__ import annotations

import json

import pytest
from tests.gateway.cast import method, stage_of

from cumulet.core.errors import (
    ExpiredToken,
    IncompleteSignature,
    RequestExpired,
    SignatureMismatch,
    UnknownKey,
)
from cumulet.core.identity import Principal
from cumulet.kit.policy import IdentityPolicies, parse_policy

ARN = "arn:aws:execute-api:eu-west-1:123456789012:abc123"
ROUTES = {"/pets": [method("GET")], "/own": [method("GET", authorizationType="AWS_IAM")]}
STAGE = stage_of(ROUTES)
USER = Principal(
    "user", "123456789012", "arn:aws:iam::123456789012:user/ann", "AIDA1",
    "arn:aws:iam::123456789012:user/ann", "AKIA1",
)  # fmt: skip
STRANGER = Principal("user", "999999999999", "arn:aws:iam::999999999999:user/x", "AIDA2", "x")


def statement(effect="Allow", resource="*", principal="*", **more):
    return {
        "Effect": effect,
        "Principal": principal,
        "Action": "execute-api:Invoke",
        "Resource": resource,
        **more,
    }


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def may(effect="Allow", resource="*"):
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}],
    }
    return IdentityPolicies((parse_policy("own", document),))


def signed(principal):
    return lambda: principal


def refused(played):
    return played.response.status, played.headers["x-amzn-errortype"], played.body


@pytest.mark.parametrize(("verb", "path"), [("GET", "/none"), ("POST", "/pets"), ("BREW", "/pets")])
def test_an_unknown_place_asks_for_a_token(play, verb, path):
    played = play(STAGE, verb, path)
    assert refused(played) == (
        403,
        "MissingAuthenticationTokenException",
        {"message": "Missing Authentication Token"},
    )
    assert played.headers["x-amzn-requestid"] == "req-1"
    assert played.headers["x-amz-apigw-id"] == "ext="
    assert played.calls == []


def test_an_unknown_stage_and_a_disabled_endpoint_are_forbidden(play):
    answer = (403, "ForbiddenException", {"message": "Forbidden"})
    assert refused(play(None, "GET", "/pets")) == answer
    assert refused(play(stage_of(ROUTES, disableExecuteApiEndpoint=True), "GET", "/pets")) == answer


def test_a_signature_is_needed_where_the_method_says_so(play):
    assert refused(play(STAGE, "GET", "/own"))[1:] == (
        "MissingAuthenticationTokenException",
        {"message": "Missing Authentication Token"},
    )


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (SignatureMismatch, "InvalidSignatureException"),
        (RequestExpired, "InvalidSignatureException"),
        (IncompleteSignature, "IncompleteSignatureException"),
        (UnknownKey, "UnrecognizedClientException"),
        (ExpiredToken, "ExpiredTokenException"),
    ],
)
def test_a_signature_that_does_not_hold(play, error, kind):
    def signer():
        raise error("words")

    played = play(STAGE, "GET", "/own", signer=signer)
    assert refused(played) == (403, kind, {"message": "words"})
    assert played.calls == []


def test_a_caller_with_permission_comes_in_and_is_named(play):
    own = may(resource=f"{ARN}/prod/GET/own")
    played = play(STAGE, "GET", "/own", signer=signed(USER), policies=own)
    identity = played.event["requestContext"]["identity"]
    assert played.response.status == 200
    assert identity["userArn"] == USER.arn
    assert identity["accessKey"] == "AKIA1"
    assert identity["accountId"] == "123456789012"
    assert identity["caller"] == identity["user"] == "AIDA1"


def test_a_caller_without_permission_is_refused_in_awss_words(play):
    played = play(STAGE, "GET", "/own", signer=signed(USER), policies=may(resource=f"{ARN}/x/*"))
    assert refused(played) == (
        403,
        "AccessDeniedException",
        {
            "Message": f"User: {USER.arn} is not authorized to perform: execute-api:Invoke on "
            "resource: arn:aws:execute-api:eu-west-1:********9012:abc123/prod/GET/own"
        },
    )


def test_an_explicit_deny_is_named(play):
    played = play(STAGE, "GET", "/own", signer=signed(USER), policies=may("Deny"))
    assert played.body["Message"].endswith("prod/GET/own with an explicit deny")


@pytest.mark.parametrize(
    ("statements", "path", "peer_allowed"),
    [
        ([statement()], "/pets", True),
        ([statement(resource=f"{ARN}/prod/GET/pets")], "/pets", True),
        ([statement(resource=f"{ARN}/prod/GET/other")], "/pets", False),
        ([statement(), statement("Deny", f"{ARN}/prod/*/pets")], "/pets", False),
        ([statement(principal={"AWS": "arn:aws:iam::123456789012:root"})], "/pets", False),
        ([statement(Condition={"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}})], "/pets", True),
        ([statement(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})], "/pets", False),
        (
            [
                statement(),
                statement("Deny", Condition={"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
            ],
            "/pets",
            False,
        ),
    ],
)
def test_a_resource_policy_decides_for_open_methods(play, statements, path, peer_allowed):
    played = play(stage_of(ROUTES, policy=policy(*statements)), "GET", path)
    if peer_allowed:
        assert played.response.status == 200
    else:
        assert played.response.status == 403
        assert played.body["Message"].startswith("User: anonymous is not authorized to perform")
        assert played.calls == []


@pytest.mark.parametrize(
    ("caller", "own", "statements", "status"),
    [
        (USER, None, [statement(principal={"AWS": USER.arn})], 200),
        (USER, may(), [statement(resource=f"{ARN}/none/*")], 200),
        (USER, may(), [statement("Deny")], 403),
        (STRANGER, may(), [statement(resource=f"{ARN}/none/*")], 403),
        (STRANGER, None, [statement()], 403),
        (STRANGER, may(), [statement()], 200),
    ],
)
def test_iam_and_resource_policy_together(play, caller, own, statements, status):
    stage = stage_of(ROUTES, policy=policy(*statements))
    policies = own or IdentityPolicies()
    played = play(stage, "GET", "/own", signer=signed(caller), policies=policies)
    assert played.response.status == status


MODELS = {"Pet": '{"type": "object", "required": ["name"]}'}
CHECKED = stage_of(
    {
        "/pets": [
            method(
                "POST",
                requestValidatorId="v",
                requestModels={"application/json": "Pet"},
                requestParameters={
                    "method.request.querystring.kind": True,
                    "method.request.header.X-Tenant": True,
                    "method.request.header.X-Maybe": False,
                },
            )
        ]
    },
    deployment={"models": MODELS, "validators": {"v": (True, True)}},
)


def test_missing_parameters_are_named(play):
    played = play(CHECKED, "POST", "/pets", body=b'{"name": "a"}')
    assert refused(played) == (
        400,
        "BadRequestException",
        {"message": "Missing required request parameters: [X-Tenant, kind]"},
    )
    assert played.calls == []


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b'{"name": "a"}', 200),
        ("application/json; charset=utf-8", b'{"name": "a"}', 200),
        ("application/json", b"{}", 400),
        ("application/json", b"{", 400),
        ("application/json", b"", 400),
        ("text/plain", b"anything", 200),
    ],
)
def test_bodies_are_checked_against_the_model_of_their_type(play, kind, body, status):
    headers = [("X-Tenant", "t"), ("Content-Type", kind)]
    played = play(CHECKED, "POST", "/pets", query="kind=cat", headers=headers, body=body)
    assert played.response.status == status
    if status == 400:
        assert played.body == {"message": "Invalid request body"}
