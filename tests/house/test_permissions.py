"""No operation of any service is open to a caller without permission, or without a signature."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.house.minimal import minimal_request

from cumulet.app.services import SERVICES
from cumulet.kit.service import snake_case

COGNITO = "https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference"
IDENTITIES = "https://docs.aws.amazon.com/cognitoidentity/latest/APIReference"
OPEN = {
    # No permission is needed, because AWS does not ask for one of the caller's identity:
    (
        "sts",
        "GetCallerIdentity",
    ): "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html",
    (
        "sts",
        "GetSessionToken",
    ): "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html",
    # The role's trust policy decides, and a user of the same account needs an Allow; both are asked
    # for in the operation itself.
    (
        "sts",
        "AssumeRole",
    ): "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html",
    # The token of the issuer is the credential.
    (
        "sts",
        "AssumeRoleWithWebIdentity",
    ): "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html",
    # Each key is asked for on its own; a refused one is an error in the answer's list.
    (
        "s3",
        "DeleteObjects",
    ): "https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html",
    # Users of pools do not sign: their password, code or token is the credential.
    **{
        ("cognito-idp", name): f"{COGNITO}/API_{name}.html"
        for name in (
            *("AssociateSoftwareToken", "ChangePassword", "ConfirmForgotPassword"),
            *("ConfirmSignUp", "DeleteUser", "DeleteUserAttributes", "ForgotPassword"),
            *("GetTokensFromRefreshToken", "GetUser", "GetUserAttributeVerificationCode"),
            *("GlobalSignOut", "InitiateAuth", "ResendConfirmationCode"),
            *("RespondToAuthChallenge", "RevokeToken", "SetUserMFAPreference", "SignUp"),
            *("UpdateUserAttributes", "VerifySoftwareToken", "VerifyUserAttribute"),
        )
    },
    **{
        ("cognito-identity", name): f"{IDENTITIES}/API_{name}.html"
        for name in ("GetCredentialsForIdentity", "GetId", "GetOpenIdToken")
    },
}
"""Operations declared `open`, and where AWS says so."""

STILL_REFUSED = {("sts", "AssumeRole"): "AccessDenied"}

PRIVATE = {("lambda", "InvokeFunctionUrl"), ("dynamodb", "LoadItems")}
"""What AWS has as an action only, or not at all, and no client can call."""

REFUSED = {
    "query": ("AccessDenied", 403),
    "ec2": ("UnauthorizedOperation", 403),
    "rest-xml": ("AccessDenied", 403),
    "rest-json": ("AccessDeniedException", 403),
    "json": ("AccessDeniedException", 400),
    # A service that once spoke the query protocol still tells its codes, in a header.
    "query-compatible": ("AccessDenied", 400),
}
"""How each protocol's services say that permission is missing."""
UNSIGNED = {
    "query": ("MissingAuthenticationToken", 403),
    "ec2": ("MissingAuthenticationToken", 403),
    "rest-xml": ("AccessDenied", 403),
    "rest-json": ("MissingAuthenticationTokenException", 403),
    "json": ("MissingAuthenticationTokenException", 400),
    "query-compatible": ("MissingAuthenticationToken", 400),
}

OPERATIONS = [
    (service.name, name)
    for service in SERVICES
    for name in sorted(service.operations)
    if (service.name, name) not in PRIVATE
]
DECLARED = {
    (service.name, name): operation
    for service in SERVICES
    for name, operation in service.operations.items()
}


SELECT = 'SELECT * FROM "house"'


def package() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("house.py", "def handler(event, context):\n    return 1\n")
    return sink.getvalue()


def table_with_stream(cloud: Any) -> tuple[dict[str, Any], str]:
    """The description of a table, and an iterator of its stream."""
    streams = cloud.client("dynamodbstreams")
    table = cloud.client("dynamodb").create_table(
        TableName="house",
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )["TableDescription"]
    arn = table["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    at = {"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "LATEST"}
    return table, streams.get_shard_iterator(**at)["ShardIterator"]


@pytest.fixture(scope="module")
def known(cloud: Any) -> Iterator[dict[str, dict[str, Any]]]:
    """Names of things that exist, so that nothing but the missing permission refuses."""
    s3, lam, gateway = cloud.client("s3"), cloud.client("lambda"), cloud.client("apigateway")
    s3.create_bucket(Bucket="house-of-rules")
    s3.put_object(Bucket="house-of-rules", Key="house", Body=b"house")
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        },
    }
    iam = cloud.client("iam")
    role = iam.create_role(RoleName="house", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    lam.create_function(
        FunctionName="house",
        Role=role["Arn"],
        Runtime="python3.11",
        Handler="house.handler",
        Code={"ZipFile": package()},
    )
    api = gateway.create_rest_api(name="house")["id"]
    table, iterator = table_with_stream(cloud)
    sqs = cloud.client("sqs")
    queue = sqs.create_queue(QueueName="house")["QueueUrl"]
    queue_arn = "arn:aws:sqs:us-east-1:000000000000:house"
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="house")["TopicArn"]
    task = json.dumps({"taskId": "house", "sourceArn": queue_arn}).encode()
    yield {
        "s3": {
            "Bucket": "house-of-rules",
            "Key": "house",
            "CopySource": "house-of-rules/house",
            "Delete": {"Objects": [{"Key": "house"}]},
        },
        "lambda": {"FunctionName": "house", "StatementId": "house", "Role": role["Arn"]},
        "apigateway": {"restApiId": api, "name": "house"},
        "iam": {"RoleName": "house", "Url": "https://house.example"},
        "logs": {"logGroupName": "house"},
        "dynamodb": {"ResourceArn": table["TableArn"], "Statement": SELECT},
        "dynamodbstreams": {"StreamArn": table["LatestStreamArn"], "ShardIterator": iterator},
        "ec2": {"Tags": [{"Key": "house", "Value": "house"}]},
        "sqs": {
            "QueueUrl": queue,
            "SourceArn": queue_arn,
            "TaskHandle": base64.b64encode(task).decode(),
        },
        "sns": {"TopicArn": topic, "ResourceArn": topic, "SubscriptionArn": f"{topic}:house"},
        "sts": {"RoleArn": role["Arn"], "RoleSessionName": "house"},
    }
    cloud.client("dynamodb").delete_table(TableName="house")
    lam.delete_function(FunctionName="house")
    gateway.delete_rest_api(restApiId=api)
    iam.delete_role(RoleName="house")
    sqs.delete_queue(QueueUrl=queue)
    sns.delete_topic(TopicArn=topic)
    s3.delete_object(Bucket="house-of-rules", Key="house")
    s3.delete_bucket(Bucket="house-of-rules")


@pytest.fixture(scope="module")
def nobody(cloud: Any) -> Iterator[tuple[str, str]]:
    """The key of a user without any policy."""
    iam = cloud.client("iam")
    iam.create_user(UserName="house-nobody")
    key = iam.create_access_key(UserName="house-nobody")["AccessKey"]
    yield key["AccessKeyId"], key["SecretAccessKey"]
    iam.delete_access_key(UserName="house-nobody", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="house-nobody")


@pytest.fixture(scope="module")
def as_nobody(cloud: Any, nobody: tuple[str, str]) -> Callable[[str], Any]:
    """Clients of that user; each is made once, which is what costs time."""
    return cache(lambda service: cloud.client(service, key=nobody))


@pytest.fixture(scope="module")
def as_anyone(cloud: Any) -> Callable[[str], Any]:
    """Clients that do not sign."""
    return cache(lambda service: cloud.client(service, unsigned=True))


# Members that the model does not require and the operation needs.
_GROUP = ("logGroupName",)
NEEDED = {
    **{
        ("logs", name): _GROUP for name in ("GetLogEvents", "FilterLogEvents", "DescribeLogStreams")
    },
    ("sns", "Publish"): ("TopicArn",),
}


def call(client: Any, name: str, known: dict[str, Any]) -> tuple[str, int, str]:
    """The code and status of the refusal, or of the answer, and its message."""
    model = client.meta.service_model.operation_model(name)
    needed = NEEDED.get((client.meta.service_model.service_name, name), ())
    request = {**minimal_request(model, known), **{key: known[key] for key in needed}}
    try:
        answer = getattr(client, snake_case(name))(**request)
    except ClientError as error:
        told = error.response
        status = told["ResponseMetadata"]["HTTPStatusCode"]
        return told["Error"]["Code"], status, told["Error"].get("Message", "")
    return "", answer["ResponseMetadata"]["HTTPStatusCode"], str(answer)


def expected(client: Any, name: str, table: dict[str, tuple[str, int]]) -> tuple[str, int]:
    metadata = client.meta.service_model.metadata
    compatible = "awsQueryCompatible" in metadata
    code, status = table["query-compatible" if compatible else metadata["protocol"]]
    if client.meta.service_model.operation_model(name).http["method"] == "HEAD":
        return str(status), status  # An answer to HEAD has no body to hold a code.
    return code, status


@pytest.mark.parametrize(("service", "name"), OPERATIONS, ids=lambda one: one)
def test_an_operation_is_refused_to_a_caller_without_permission(
    as_nobody: Callable[[str], Any], known: dict[str, Any], service: str, name: str
) -> None:
    client = as_nobody(service)
    code, status, message = call(client, name, known.get(service, {}))
    if (service, name) in OPEN:
        assert code == STILL_REFUSED.get((service, name), code)
        return
    assert (code, status) == expected(client, name, REFUSED), message
    if name.startswith("Head"):
        return
    assert "not authorized to perform" in message
    assert "user/house-nobody" in message


@pytest.mark.parametrize(("service", "name"), OPERATIONS, ids=lambda one: one)
def test_an_operation_is_refused_without_a_signature(
    as_anyone: Callable[[str], Any], known: dict[str, Any], service: str, name: str
) -> None:
    if not DECLARED[service, name].signed:
        assert (service, name) in OPEN
        return
    client = as_anyone(service)
    code, status, message = call(client, name, known.get(service, {}))
    wanted = expected(client, name, UNSIGNED)
    assert (code, status) == wanted, message


def test_a_list_of_deletes_is_refused_key_by_key(
    cloud: Any, as_nobody: Callable[[str], Any], known: dict[str, Any]
) -> None:
    answer = as_nobody("s3").delete_objects(
        Bucket="house-of-rules", Delete={"Objects": [{"Key": "house"}]}
    )
    assert [error["Code"] for error in answer["Errors"]] == ["AccessDenied"]
    kept = cloud.client("s3").get_object(Bucket="house-of-rules", Key="house")
    assert kept["Body"].read() == b"house"


def test_nothing_else_is_declared_open() -> None:
    opened = {one for one, operation in DECLARED.items() if operation.access == "open"}
    assert opened == set(OPEN) & set(DECLARED)


def test_every_declared_operation_is_one_of_awss() -> None:
    session = boto3.Session(region_name="us-east-1")
    known = {
        service.name: set(session.client(service.name).meta.service_model.operation_names)
        for service in SERVICES
    }
    unknown = {one for one in DECLARED if one[1] not in known[one[0]]}
    assert unknown == PRIVATE
