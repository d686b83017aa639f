"""Integrations with AWS services by action and by path, in a role's name or the caller's own.

https://docs.aws.amazon.com/apigateway/latest/developerguide/integrating-api-with-aws-services-s3.html
https://docs.aws.amazon.com/apigateway/latest/api/API_Integration.html
"""

from __future__ import annotations

import json

import pytest
from tests.services.apigateway.backend.conftest import lambda_uri, responses, signed, unique
from tests.services.apigateway.conftest import refused

JSON = "application/json"


def aws(api, place, service, what, credentials, verb="POST", **more):
    return api.client.put_integration(
        **place,
        type="AWS",
        integrationHttpMethod=verb,
        uri=f"arn:aws:apigateway:us-east-1:{service}:{what}",
        credentials=credentials,
        **more,
    )


def test_a_json_service_by_action(cloud, api, role):
    name = f"/{unique('p')}"
    cloud.client("ssm").put_parameter(Name=name, Value="kept", Type="String")
    place = api.method("GET", "{name}", requestParameters={"method.request.path.name": True})
    template = '{"Name": "/$input.params(\'name\')"}'
    aws(
        api,
        place,
        "ssm",
        "action/GetParameter",
        role("ssm:GetParameter"),
        requestTemplates={JSON: template},
    )
    responses(
        api,
        place,
        "200",
        "400",
        responseTemplates={JSON: "$input.path('$.Parameter.Value')$input.path('$.__type')"},
    )
    api.deploy()
    found = api.call("GET", name)
    assert (found.status, found.body) == (200, b"kept")
    missing = api.call("GET", "/nothing")
    assert missing.status == 400
    assert b"ParameterNotFound" in missing.body


def test_a_query_service_by_action_answers_json(api, role):
    place = api.method("GET")
    arn = role("sts:GetCallerIdentity")
    aws(api, place, "sts", "action/GetCallerIdentity", arn)
    responses(api, place, "200")
    api.deploy()
    answer = api.call("GET", "/")
    assert answer.status == 200
    result = answer.json["GetCallerIdentityResponse"]
    name = arn.rpartition("/")[2]
    assert (
        f":assumed-role/{name}/BackplaneAssumeRoleSession"
        in (result["GetCallerIdentityResult"]["Arn"])
    )
    assert result["ResponseMetadata"]["RequestId"]


def test_a_query_service_takes_parameters_from_the_query_or_a_form(cloud, api, role):
    user = unique("u")
    cloud.client("iam").create_user(UserName=user)
    arn = role("iam:GetUser")
    by_query = api.method("GET", "q", requestParameters={"method.request.querystring.user": True})
    aws(
        api,
        by_query,
        "iam",
        "action/GetUser",
        arn,
        requestParameters={
            "integration.request.querystring.UserName": "method.request.querystring.user"
        },
    )
    by_form = api.method("POST", "f")
    aws(
        api,
        by_form,
        "iam",
        "path//",
        arn,
        requestParameters={
            "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"
        },
        requestTemplates={
            JSON: "Action=GetUser&Version=2010-05-08&UserName=$util.urlEncode($input.path('$.u'))"
        },
    )
    for place in (by_query, by_form):
        responses(api, place, "200", "404")
    api.deploy()
    found = api.call("GET", f"/q?user={user}")
    assert found.json["GetUserResponse"]["GetUserResult"]["User"]["UserName"] == user
    form = api.call("POST", "/f", body=json.dumps({"u": user}).encode())
    assert form.json["GetUserResponse"]["GetUserResult"]["User"]["UserName"] == user
    missing = api.call("GET", "/q?user=nobody")
    assert missing.status == 404
    assert missing.json["Error"]["Code"] == "NoSuchEntity"


@pytest.fixture
def bucket(cloud):
    s3 = cloud.client("s3")
    name = unique("b")
    s3.create_bucket(Bucket=name)
    yield name
    for one in s3.list_objects_v2(Bucket=name).get("Contents", ()):
        s3.delete_object(Bucket=name, Key=one["Key"])
    s3.delete_bucket(Bucket=name)


def test_objects_by_path(cloud, api, role, bucket):
    arn = role("s3:*")
    declared = {"method.request.path.key": True, "method.request.header.Content-Type": False}
    for verb in ("GET", "PUT", "DELETE"):
        place = api.method(verb, "{key+}", requestParameters=declared)
        aws(
            api,
            place,
            "s3",
            f"path/{bucket}/{{key}}",
            arn,
            verb,
            requestParameters={
                "integration.request.path.key": "method.request.path.key",
                "integration.request.header.Content-Type": "method.request.header.Content-Type",
            },
        )
        responses(
            api,
            place,
            "200",
            "204",
            "404",
            responseParameters={
                "method.response.header.Content-Type": "integration.response.header.Content-Type",
                "method.response.header.ETag": "integration.response.header.ETag",
            },
        )
    api.deploy()
    put = api.call("PUT", "/a/b%20c.txt", headers={"Content-Type": "text/x"}, body=b"inside")
    assert put.status == 200
    s3 = cloud.client("s3")
    assert s3.get_object(Bucket=bucket, Key="a/b c.txt")["Body"].read() == b"inside"
    got = api.call("GET", "/a/b%20c.txt")
    assert (got.body, got.headers["Content-Type"]) == (b"inside", "text/x")
    assert got.headers["ETag"] == put.headers["ETag"]
    assert api.call("GET", "/nothing").status == 404
    assert api.call("DELETE", "/a/b%20c.txt").status == 204
    assert api.call("GET", "/a/%2e%2e/x").status == 400


def test_a_subdomain_and_bytes(cloud, api, role, bucket):
    content = bytes(range(256)) * 4
    cloud.client("s3").put_object(Bucket=bucket, Key="x.png", Body=content)
    api.client.update_rest_api(
        restApiId=api.id,
        patchOperations=[{"op": "add", "path": "/binaryMediaTypes/*~1*"}],
    )
    place = api.method("GET")
    aws(api, place, f"{bucket}.s3", "path/x.png", role("s3:GetObject"), "GET")
    responses(api, place, "200")
    api.deploy()
    assert api.call("GET", "/").body == content


def test_a_role_gives_no_more_than_it_has(api, role):
    place = api.method("GET")
    arn = role("ssm:DescribeParameters")
    aws(api, place, "ssm", "action/GetParameter", arn, requestTemplates={JSON: '{"Name": "/x"}'})
    responses(api, place, "200", "400")
    api.deploy()
    answer = api.call("GET", "/")
    assert answer.status == 400
    assert "AccessDeniedException" in answer.json["__type"]


def test_a_role_must_trust_the_gateway(api, role):
    place = api.method("GET")
    aws(api, place, "sts", "action/GetCallerIdentity", role(service="lambda"))
    responses(api, place, "200")
    api.deploy()
    answer = api.call("GET", "/")
    assert (answer.status, answer.json) == (500, {"message": "Internal server error"})


def test_a_role_of_another_account_is_nobodys_to_pass(api):
    place = api.method("GET")
    with refused("AccessDeniedException", "Cross-account pass role is not allowed."):
        aws(
            api,
            place,
            "sts",
            "action/GetCallerIdentity",
            "arn:aws:iam::999988887777:role/theirs",
        )


def test_a_stage_variable_cannot_name_a_role_of_another_account(api):
    place = api.method("GET")
    aws(
        api,
        place,
        "sts",
        "action/GetCallerIdentity",
        "arn:aws:iam::${stageVariables.account}:role/theirs",
    )
    responses(api, place, "200")
    api.deploy(variables={"account": "999988887777"})
    answer = api.call("GET", "/")
    assert (answer.status, answer.json) == (500, {"message": "Internal server error"})


def test_the_callers_own_name(cloud, api):
    place = api.method("GET", auth="AWS_IAM")
    aws(api, place, "sts", "action/GetCallerIdentity", "arn:aws:iam::*:user/*")
    responses(api, place, "200")
    unsigned = api.method("GET", "open")
    aws(api, unsigned, "sts", "action/GetCallerIdentity", "arn:aws:iam::*:user/*")
    responses(api, unsigned, "200")
    api.deploy()
    iam = cloud.client("iam")
    name = unique("u")
    user = iam.create_user(UserName=name)["User"]["Arn"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}],
    }
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    made = iam.create_access_key(UserName=name)["AccessKey"]
    key = (made["AccessKeyId"], made["SecretAccessKey"])
    answer = api.call("GET", "/", headers=signed(api, key, "GET", "/"))
    result = answer.json["GetCallerIdentityResponse"]["GetCallerIdentityResult"]
    assert result["Arn"] == user
    assert api.call("GET", "/open").status == 500


@pytest.mark.parametrize(
    ("service", "what"), [("glacier", "action/ListVaults"), ("ssm", "action/NoSuchThing")]
)
def test_a_service_or_operation_that_is_not_there_says_so(api, role, service, what):
    place = api.method("GET")
    aws(api, place, service, what, role("*"))
    responses(api, place, "200", "400", "404", "501")
    api.deploy()
    answer = api.call("GET", "/")
    assert answer.status in (400, 404, 501)
    assert b"not implemented" in answer.body or b"NoSuchThing" in answer.body


def test_log_events_by_action_with_a_template(cloud, api, role):
    logs = cloud.client("logs")
    group = unique("/g")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    place = api.method("POST")
    template = json.dumps(
        {
            "logGroupName": group,
            "logStreamName": "s",
            "logEvents": [{"timestamp": 0, "message": "M"}],
        }
    )
    template = template.replace('"timestamp": 0', '"timestamp": $context.requestTimeEpoch')
    template = template.replace('"M"', "$input.json('$.text')")
    aws(
        api, place, "logs", "action/PutLogEvents", role("logs:*"), requestTemplates={JSON: template}
    )
    responses(api, place, "200", "400")
    api.deploy()
    assert api.call("POST", "/", body=b'{"text": "hello \\"you\\""}').status == 200
    events = logs.get_log_events(logGroupName=group, logStreamName="s")["events"]
    assert [one["message"] for one in events] == ['hello "you"']
    logs.delete_log_group(logGroupName=group)


def test_lambda_by_path_as_an_event(cloud, api, function):
    arn = function("def handler(event, context):\n    return event\n")
    place = api.method("POST")
    api.client.put_integration(
        **place,
        type="AWS",
        integrationHttpMethod="POST",
        uri=lambda_uri(arn),
        requestParameters={"integration.request.header.X-Amz-Invocation-Type": "'Event'"},
    )
    responses(api, place, "200")
    api.deploy()
    answer = api.call("POST", "/", body=b'{"a": 1}')
    assert (answer.status, answer.body) == (200, b"")


def test_what_an_integration_with_a_service_must_have(api):
    place = api.method("GET")
    with refused("BadRequestException", "Role ARN must be specified for AWS integrations"):
        api.client.put_integration(
            **place,
            type="AWS",
            integrationHttpMethod="POST",
            uri="arn:aws:apigateway:us-east-1:ssm:action/GetParameter",
        )
