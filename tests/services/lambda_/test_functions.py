"""CreateFunction, GetFunction, ListFunctions, UpdateFunction…, DeleteFunction.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import stat
import urllib.request
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.services.lambda_.conftest import ALLOW_ALL, ECHO, TRUST, pack, payload_of, unique


def message_of(caught: Any) -> str:
    return str(caught.value.response["Error"]["Message"])


def test_what_was_created_is_described(lam: Any, make: Any, role: str) -> None:
    code = pack()
    name = make(
        Code={"ZipFile": code},
        Description="d",
        Timeout=7,
        MemorySize=512,
        Tags={"team": "a"},
        Environment={"Variables": {"KEY": "value"}},
        EphemeralStorage={"Size": 1024},
        TracingConfig={"Mode": "Active"},
    )
    got = lam.get_function(FunctionName=name)
    configuration = got["Configuration"]
    arn = configuration["FunctionArn"]
    assert arn.startswith("arn:aws:lambda:us-east-1:")
    assert arn.endswith(f":function:{name}")
    digest = base64.b64encode(hashlib.sha256(code).digest()).decode()
    expected = {
        "FunctionName": name,
        "Runtime": "python3.11",
        "Role": role,
        "Handler": "index.handler",
        "CodeSize": len(code),
        "CodeSha256": digest,
        "Description": "d",
        "Timeout": 7,
        "MemorySize": 512,
        "Version": "$LATEST",
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 1024},
        "TracingConfig": {"Mode": "Active"},
        "Environment": {"Variables": {"KEY": "value"}},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
    }
    assert {key: configuration[key] for key in expected} == expected
    assert got["Tags"] == {"team": "a"}
    assert (
        lam.get_function_configuration(FunctionName=name)["RevisionId"]
        == (configuration["RevisionId"])
    )


def test_the_waiters_are_satisfied_at_once(lam: Any, make: Any) -> None:
    name = make()
    lam.get_waiter("function_active_v2").wait(FunctionName=name)
    lam.get_waiter("function_updated_v2").wait(FunctionName=name)


def test_the_code_location_gives_the_package_without_a_signature(lam: Any, make: Any) -> None:
    code = pack()
    name = make(Code={"ZipFile": code})
    location = lam.get_function(FunctionName=name)["Code"]["Location"]
    with urllib.request.urlopen(location, timeout=10) as answer:
        assert answer.read() == code
    changed = location[:-6] + ("AAAAAA" if not location.endswith("AAAAAA") else "BBBBBB")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(changed, timeout=10)
    caught.value.close()
    assert caught.value.code == 403


def test_a_name_is_taken_once(lam: Any, make: Any, role: str) -> None:
    name = make()
    with pytest.raises(lam.exceptions.ResourceConflictException) as caught:
        make(FunctionName=name)
    assert message_of(caught) == f"Function already exist: {name}"


def test_a_role_that_lambda_may_not_assume_is_refused(lam: Any, make: Any, cloud: Any) -> None:
    iam = cloud.client("iam")
    trust = json.dumps(TRUST).replace("lambda.amazonaws.com", "ec2.amazonaws.com")
    other = iam.create_role(RoleName=unique("not-lambda"), AssumeRolePolicyDocument=trust)["Role"]
    for arn in (other["Arn"], f"{other['Arn']}-gone"):
        with pytest.raises(lam.exceptions.InvalidParameterValueException) as caught:
            make(Role=arn)
        assert message_of(caught) == (
            "The role defined for the function cannot be assumed by Lambda."
        )


def test_the_caller_needs_pass_role(cloud: Any, role: str) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    iam = cloud.client("iam")
    user = unique("no-pass-role")
    iam.create_user(UserName=user)
    allowed = {**ALLOW_ALL["Statement"][0], "Action": "lambda:*"}
    policy = {"Version": "2012-10-17", "Statement": [allowed]}
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    lam = cloud.client("lambda", key=(key["AccessKeyId"], key["SecretAccessKey"]))
    with pytest.raises(ClientError) as caught:
        lam.create_function(
            FunctionName=unique("f"),
            Role=role,
            Runtime="python3.11",
            Handler="index.handler",
            Code={"ZipFile": pack()},
        )
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    assert f"iam:PassRole on resource: {role}" in message_of(caught)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"Runtime": "python2.7"}, "The runtime parameter of python2.7 is no longer supported"),
        ({"Runtime": "java21"}, "java21 is not supported by Cumulet"),
        ({"MemorySize": 20_000}, "less than or equal to 10240"),
        ({"Timeout": 901}, "less than or equal to 900"),
        ({"PackageType": "Image"}, "PackageType Image (container images) is not supported"),
        ({"VpcConfig": {"SubnetIds": ["subnet-1"]}}, "VpcConfig is not supported"),
        ({"SnapStart": {"ApplyOn": "PublishedVersions"}}, "SnapStart is not supported"),
        ({"KMSKeyArn": "arn:aws:kms:us-east-1:1:key/x"}, "KMSKeyArn is not supported"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "Reserved keys used"),
        ({"Environment": {"Variables": {"BIG": "x" * 4097}}}, "exceeded the 4KB limit"),
        ({"Code": {"ZipFile": b"no zip at all"}}, "Could not unzip uploaded file"),
        ({"Code": {}}, "Please provide a source for function code"),
        ({"Tags": {"aws:x": "y"}}, "System tags cannot be added"),
        ({"LoggingConfig": {"ApplicationLogLevel": "DEBUG"}}, "log format to JSON"),
        ({"Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:no:1"]}, "does not exist"),
        ({"DeadLetterConfig": {"TargetArn": "arn:aws:sns:us-east-1:1:t"}}, "is invalid"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    lam: Any, make: Any, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(ClientError) as caught:
        make(**settings)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert said in message_of(caught)


def test_runtime_and_handler_are_needed(lam: Any, role: str) -> None:
    with pytest.raises(lam.exceptions.InvalidParameterValueException) as caught:
        lam.create_function(FunctionName=unique("f"), Role=role, Code={"ZipFile": pack()})
    assert message_of(caught).startswith("Runtime and Handler are mandatory parameters")


def _zip_with(entry: zipfile.ZipInfo, content: bytes = b"x") -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("index.py", ECHO)
        archive.writestr(entry, content)
    return sink.getvalue()


def test_packages_that_reach_outside_are_refused(lam: Any, make: Any) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    for archive in (
        _zip_with(zipfile.ZipInfo("../outside.py")),
        _zip_with(zipfile.ZipInfo("/etc/absolute")),
        _zip_with(link, b"/etc/passwd"),
    ):
        with pytest.raises(lam.exceptions.InvalidParameterValueException) as caught:
            make(Code={"ZipFile": archive})
        assert "Could not unzip uploaded file" in message_of(caught)


def test_a_zip_bomb_is_refused(lam: Any, make: Any) -> None:
    sink = io.BytesIO()
    with (
        zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("big", "w") as entry,
    ):
        for _ in range(251):
            entry.write(bytes(1_048_576))
    with pytest.raises(lam.exceptions.InvalidParameterValueException) as caught:
        make(Code={"ZipFile": sink.getvalue()})
    assert message_of(caught) == "Unzipped size must be smaller than 262144000 bytes"


def test_code_comes_from_s3_in_the_version_asked(lam: Any, make: Any, cloud: Any) -> None:
    s3 = cloud.client("s3")
    bucket = unique("code")
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = pack("def handler(event, context):\n    return 1\n")
    version = s3.put_object(Bucket=bucket, Key="a/code.zip", Body=first)["VersionId"]
    s3.put_object(
        Bucket=bucket, Key="a/code.zip", Body=pack("def handler(event, context):\n    return 2\n")
    )
    newest = make(Code={"S3Bucket": bucket, "S3Key": "a/code.zip"})
    older = make(Code={"S3Bucket": bucket, "S3Key": "a/code.zip", "S3ObjectVersion": version})
    assert payload_of(lam.invoke(FunctionName=newest)) == 2
    assert payload_of(lam.invoke(FunctionName=older)) == 1
    with pytest.raises(lam.exceptions.InvalidParameterValueException) as caught:
        make(Code={"S3Bucket": bucket, "S3Key": "gone"})
    assert "Error occurred while GetObject. S3 Error Code: NoSuchKey." in message_of(caught)


def test_new_code_answers_from_then_on(lam: Any, make: Any) -> None:
    name = make("def handler(event, context):\n    return 'old'\n")
    assert payload_of(lam.invoke(FunctionName=name)) == "old"
    before = lam.get_function_configuration(FunctionName=name)
    code = pack("def handler(event, context):\n    return 'new'\n")
    changed = lam.update_function_code(FunctionName=name, ZipFile=code)
    assert changed["CodeSize"] == len(code)
    assert changed["RevisionId"] != before["RevisionId"]
    assert payload_of(lam.invoke(FunctionName=name)) == "new"


def test_a_dry_run_of_new_code_changes_nothing(lam: Any, make: Any) -> None:
    name = make("def handler(event, context):\n    return 'old'\n")
    code = pack("def handler(event, context):\n    return 'new'\n")
    shown = lam.update_function_code(FunctionName=name, ZipFile=code, DryRun=True)
    assert shown["CodeSize"] == len(code)
    assert payload_of(lam.invoke(FunctionName=name)) == "old"


def test_new_configuration_counts_from_then_on(lam: Any, make: Any) -> None:
    name = make(
        "import os\ndef handler(event, context):\n    return os.environ.get('KEY')\n",
        Environment={"Variables": {"KEY": "1"}},
    )
    assert payload_of(lam.invoke(FunctionName=name)) == "1"
    changed = lam.update_function_configuration(
        FunctionName=name, Environment={"Variables": {"KEY": "2"}}, Timeout=9
    )
    assert changed["Timeout"] == 9
    assert changed["MemorySize"] == 128
    assert payload_of(lam.invoke(FunctionName=name)) == "2"
    lam.update_function_configuration(FunctionName=name, Environment={"Variables": {}})
    assert payload_of(lam.invoke(FunctionName=name)) is None


def test_an_old_revision_is_refused(lam: Any, make: Any) -> None:
    name = make()
    old = lam.get_function_configuration(FunctionName=name)["RevisionId"]
    lam.update_function_configuration(FunctionName=name, RevisionId=old, Timeout=5)
    for attempt in (
        lambda: lam.update_function_configuration(FunctionName=name, RevisionId=old, Timeout=6),
        lambda: lam.update_function_code(FunctionName=name, RevisionId=old, ZipFile=pack()),
        lambda: lam.publish_version(FunctionName=name, RevisionId=old),
    ):
        with pytest.raises(lam.exceptions.PreconditionFailedException) as caught:
            attempt()
        assert message_of(caught).startswith("The Revision Id provided does not match")


def test_variables_are_not_readable_in_the_data_folder(make: Any, cloud: Any) -> None:
    secret = unique("very-secret-value")
    make(Environment={"Variables": {"SECRET": secret}})
    for file in cloud.data.rglob("*"):
        if file.is_file():
            assert secret.encode() not in file.read_bytes(), file


def test_functions_are_listed_in_pages_by_name(lam: Any, make: Any) -> None:
    names = sorted(make(FunctionName=unique("listed")) for _ in range(3))
    found: list[str] = []
    for page in lam.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 1}):
        assert len(page["Functions"]) <= 1
        found += [each["FunctionName"] for each in page["Functions"]]
    assert [name for name in found if name in names] == names
    everything = lam.list_functions(FunctionVersion="ALL")["Functions"]
    assert {each["Version"] for each in everything if each["FunctionName"] in names} == {"$LATEST"}


def test_a_deleted_function_is_gone(lam: Any, make: Any) -> None:
    name = make()
    lam.invoke(FunctionName=name)
    lam.delete_function(FunctionName=name)
    for attempt in (lam.get_function, lam.delete_function, lam.invoke, lam.get_policy):
        with pytest.raises(lam.exceptions.ResourceNotFoundException) as caught:
            attempt(FunctionName=name)
        assert message_of(caught).startswith("Function not found: arn:aws:lambda:")


def test_a_permission_on_the_function_is_needed(cloud: Any, make: Any) -> None:
    name = make()
    iam = cloud.client("iam")
    user = unique("nobody")
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    lam = cloud.client("lambda", key=(key["AccessKeyId"], key["SecretAccessKey"]))
    for attempt, action in (
        (lambda: lam.invoke(FunctionName=name), "lambda:InvokeFunction"),
        (lambda: lam.get_function(FunctionName=name), "lambda:GetFunction"),
        (lambda: lam.list_functions(), "lambda:ListFunctions"),
        (lambda: lam.delete_function(FunctionName=name), "lambda:DeleteFunction"),
    ):
        with pytest.raises(ClientError) as caught:
            attempt()
        assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
        assert f"is not authorized to perform: {action} on resource: " in message_of(caught)


def test_a_function_of_another_region_is_not_reachable(lam: Any, make: Any, cloud: Any) -> None:
    name = make()
    arn = lam.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    elsewhere = cloud.client("lambda", region="eu-west-1")
    with pytest.raises(elsewhere.exceptions.ResourceNotFoundException) as caught:
        elsewhere.get_function(FunctionName=arn)
    assert message_of(caught) == (
        "Functions from 'us-east-1' are not reachable in this region ('eu-west-1')"
    )
