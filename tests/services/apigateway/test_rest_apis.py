"""REST APIs: made, listed, changed, copied and removed; the sentences are AWS's own.

https://docs.aws.amazon.com/apigateway/latest/api/API_RestApi.html
"""

from __future__ import annotations

import json
import uuid

import pytest
from tests.services.apigateway.conftest import refused


def test_a_new_api_has_awss_defaults(client, api):
    found = client.get_rest_api(restApiId=api.id)
    del found["ResponseMetadata"], found["createdDate"], found["name"]
    assert found == {
        "id": api.id,
        "rootResourceId": api.root,
        "apiKeySource": "HEADER",
        "disableExecuteApiEndpoint": False,
        "endpointConfiguration": {"ipAddressType": "ipv4", "types": ["EDGE"]},
        "tags": {},
    }
    models = {one["name"] for one in client.get_models(restApiId=api.id)["items"]}
    assert models == {"Empty", "Error"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"description": ""}, "Description cannot be an empty string"),
        (
            {"minimumCompressionSize": -1},
            "Invalid minimum compression size, must be between 0 and 10485760",
        ),
        (
            {"endpointConfiguration": {"types": []}},
            "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.",
        ),
        (
            {"endpointConfiguration": {"types": ["EDGE", "REGIONAL"]}},
            "Cannot create an api with multiple Endpoint Types.",
        ),
        (
            {"endpointConfiguration": {"types": ["PRIVATE"]}},
            "Private APIs are not supported by Cumulet yet.",
        ),
        (
            {"policy": "{"},
            "Invalid policy document. Please check the policy syntax and ensure that "
            "Principals are valid.",
        ),
        ({"tags": {"aws:x": "y"}}, "Invalid tag key: aws:x"),
    ],
)
def test_settings_are_checked(client, settings, words):
    with refused("BadRequestException", words):
        client.create_rest_api(name="x", **settings)


def test_an_unknown_api_is_named_with_its_account(cloud, client):
    account = cloud.client("sts").get_caller_identity()["Account"]
    words = f"Invalid API identifier specified {account}:none"
    with refused("NotFoundException", words):
        client.get_rest_api(restApiId="none")
    with refused("NotFoundException", words):
        client.update_rest_api(restApiId="none", patchOperations=[])
    with refused("NotFoundException", words):
        client.delete_rest_api(restApiId="none")


def test_an_api_of_one_region_is_not_in_another(cloud, api):
    elsewhere = cloud.client("apigateway", region="eu-central-1")
    with refused("NotFoundException"):
        elsewhere.get_rest_api(restApiId=api.id)


def test_patches_change_settings(client, api):
    def patched(op, path, value=None):
        given = {"op": op, "path": path, **({"value": value} if value is not None else {})}
        return client.update_rest_api(restApiId=api.id, patchOperations=[given])

    assert patched("add", "/binaryMediaTypes/image~1png")["binaryMediaTypes"] == ["image/png"]
    assert patched("replace", "/description", "d")["description"] == "d"
    assert "description" not in patched("remove", "/description")
    assert patched("replace", "/minimumCompressionSize", "10")["minimumCompressionSize"] == 10
    assert "minimumCompressionSize" not in patched("replace", "/minimumCompressionSize", "")
    changed = patched("replace", "/endpointConfiguration/types/EDGE", "REGIONAL")
    assert changed["endpointConfiguration"]["types"] == ["REGIONAL"]
    with refused("BadRequestException", "Invalid patch path /binaryMediaTypes"):
        patched("add", "/binaryMediaTypes", "x")
    with refused(
        "BadRequestException", "Invalid patch operation specified. Must be one of: [replace]"
    ):
        patched("add", "/minimumCompressionSize", "10")


def test_a_policy_is_kept_with_its_short_arns_written_out(cloud, client, api):
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "execute-api:Invoke",
                "Resource": "execute-api:/prod/*",
            }
        ],
    }
    client.update_rest_api(
        restApiId=api.id,
        patchOperations=[{"op": "replace", "path": "/policy", "value": json.dumps(policy)}],
    )
    text = client.get_rest_api(restApiId=api.id)["policy"]
    shown = json.loads(json.loads(f'"{text}"'))
    account = cloud.client("sts").get_caller_identity()["Account"]
    expected = f"arn:aws:execute-api:us-east-1:{account}:{api.id}/prod/*"
    assert shown["Statement"][0]["Resource"] == expected


def test_apis_are_listed_in_pages(client):
    made = {client.create_rest_api(name=f"page-{uuid.uuid4().hex}")["id"] for _ in range(3)}
    try:
        seen, position = [], None
        while True:
            more = {"position": position} if position else {}
            page = client.get_rest_apis(limit=2, **more)
            assert len(page["items"]) <= 2
            seen += [one["id"] for one in page["items"]]
            position = page.get("position")
            if not position:
                break
        assert made <= set(seen)
        assert len(seen) == len(set(seen))
        with refused("BadRequestException"):
            client.get_rest_apis(position="!!")
    finally:
        for api_id in made:
            client.delete_rest_api(restApiId=api_id)


def test_a_copy_has_the_same_tree(client, api):
    api.mock("GET", "a", "{id}")
    copy = client.create_rest_api(name="copy", cloneFrom=api.id)
    try:
        paths = [one["path"] for one in client.get_resources(restApiId=copy["id"])["items"]]
        assert paths == ["/", "/a", "/a/{id}"]
    finally:
        client.delete_rest_api(restApiId=copy["id"])


def test_tags_of_apis_and_stages(client, api):
    api.mock("GET")
    api.deploy("prod")
    for arn in (
        f"arn:aws:apigateway:us-east-1::/restapis/{api.id}",
        f"arn:aws:apigateway:us-east-1::/restapis/{api.id}/stages/prod",
    ):
        client.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
        client.untag_resource(resourceArn=arn, tagKeys=["a"])
        assert client.get_tags(resourceArn=arn)["tags"] == {"b": "2"}
    assert client.get_rest_api(restApiId=api.id)["tags"] == {"b": "2"}
    with refused("NotFoundException"):
        client.get_tags(resourceArn="arn:aws:apigateway:us-east-1::/restapis/none")


def test_a_removed_api_answers_no_more(client, api):
    api.mock("GET")
    api.deploy()
    assert api.call("GET", "/").status == 200
    client.delete_rest_api(restApiId=api.id)
    gone = api.call("GET", "/")
    assert (gone.status, gone.json) == (403, {"message": "Forbidden"})


def test_a_caller_needs_permission_for_each_path(cloud, client, api):
    iam = cloud.client("iam")
    name = f"u-{uuid.uuid4().hex[:10]}"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    arn = f"arn:aws:apigateway:us-east-1::/restapis/{api.id}"
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "apigateway:GET", "Resource": arn}],
    }
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    theirs = cloud.client("apigateway", key=(key["AccessKeyId"], key["SecretAccessKey"]))
    assert theirs.get_rest_api(restApiId=api.id)["id"] == api.id
    for act in (
        lambda: theirs.get_rest_apis(),
        lambda: theirs.get_resources(restApiId=api.id),
        lambda: theirs.update_rest_api(restApiId=api.id, patchOperations=[]),
        lambda: theirs.delete_rest_api(restApiId=api.id),
    ):
        with refused("AccessDeniedException"):
            act()


def test_the_account_keeps_a_role_that_the_gateway_may_assume(cloud, client):
    iam = cloud.client("iam")
    name = f"logs-{uuid.uuid4().hex[:10]}"

    def trust(service):
        return json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": service},
                        "Action": "sts:AssumeRole",
                    }
                ],
            }
        )

    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))[
        "Role"
    ]["Arn"]
    patch = [{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}]
    with refused(
        "BadRequestException",
        "The role ARN does not have required permissions configured. Please grant trust "
        "permission for API Gateway and add the required role policy.",
    ):
        client.update_account(patchOperations=patch)
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust("apigateway.amazonaws.com"))
    with refused("BadRequestException"):
        client.update_account(patchOperations=patch)
    iam.attach_role_policy(
        RoleName=name,
        PolicyArn="arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
    )
    assert client.update_account(patchOperations=patch)["cloudwatchRoleArn"] == role
    assert client.get_account()["cloudwatchRoleArn"] == role
    empty = [{"op": "replace", "path": "/cloudwatchRoleArn", "value": ""}]
    assert "cloudwatchRoleArn" not in client.update_account(patchOperations=empty)


def test_a_role_is_given_to_the_gateway_only_by_who_may_pass_it(cloud, client, api):
    iam = cloud.client("iam")
    name = f"u-{uuid.uuid4().hex[:10]}"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    allowed = {"Effect": "Allow", "Action": "apigateway:*", "Resource": "*"}

    def may(*statements):
        document = {"Version": "2012-10-17", "Statement": [allowed, *statements]}
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(document))

    may()
    theirs = cloud.client("apigateway", key=(key["AccessKeyId"], key["SecretAccessKey"]))
    account = cloud.client("sts").get_caller_identity()["Account"]
    integration = {
        "type": "AWS_PROXY",
        "uri": "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
        f"arn:aws:lambda:us-east-1:{account}:function:f/invocations",
        "credentials": f"arn:aws:iam::{account}:role/${{stageVariables.r}}",
    }
    document = json.dumps(
        {
            "openapi": "3.0.1",
            "info": {"title": "t"},
            "paths": {
                "/": {
                    "get": {
                        "x-amazon-apigateway-integration": {**integration, "httpMethod": "POST"}
                    }
                }
            },
        }
    ).encode()
    place = api.method("GET")

    def put():
        theirs.put_integration(**place, **integration, integrationHttpMethod="POST")

    def overwrite():
        theirs.put_rest_api(restApiId=api.id, mode="overwrite", body=document)

    for act in (put, overwrite, lambda: theirs.import_rest_api(body=document)):
        with refused("AccessDeniedException"):
            act()
    may({"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"})
    put()
    overwrite()
    with refused("AccessDeniedException"):
        may({"Effect": "Deny", "Action": "apigateway:GET", "Resource": "*"})
        theirs.create_rest_api(name="copy", cloneFrom=api.id)
