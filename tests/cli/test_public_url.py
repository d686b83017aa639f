"""`cumulet up --public-url`: the addresses that the cloud hands out name what others reach."""

from __future__ import annotations

import io
import json
import socket
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.conftest import Cloud

SIGNS = """
import boto3
def handler(event, context):
    s3 = boto3.client("s3")
    s3.put_object(Bucket=event["bucket"], Key="k", Body=b"content")
    members = {"Bucket": event["bucket"], "Key": "k"}
    return s3.generate_presigned_url("get_object", Params=members)
"""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cloud, str]]:
    """A cloud, and its address by another name than the one that it listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://localhost:{port}"
    folder = tmp_path_factory.mktemp("public")
    cloud = Cloud(folder / "data", "--bare", "--port", str(port), "--public-url", f"{url}/")
    cloud.start()
    yield cloud, url
    cloud.stop()


def test_queues_and_stages_are_at_the_public_address(public: tuple[Cloud, str]) -> None:
    cloud, url = public
    made = cloud.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    assert made == f"{url}/000000000000/q"
    cloud.client("sqs").send_message(QueueUrl=made, MessageBody="x")


def test_commands_on_this_machine_still_find_the_cloud_where_it_listens(
    public: tuple[Cloud, str],
) -> None:
    cloud, url = public
    run = json.loads((cloud.data / "run.json").read_text())
    assert run["endpoint"] == cloud.endpoint
    assert urlsplit(cloud.endpoint).hostname == "127.0.0.1"
    assert run["public"] == url


def test_what_a_function_signs_is_for_the_public_address_and_is_let_in_there(
    public: tuple[Cloud, str],
) -> None:
    cloud, url = public
    iam = cloud.client("iam")
    role = iam.create_role(RoleName="signs", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    iam.put_role_policy(RoleName="signs", PolicyName="all", PolicyDocument=json.dumps(ALL))
    cloud.client("s3").create_bucket(Bucket="signed")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", SIGNS)
    cloud.client("lambda").create_function(
        FunctionName="signs",
        Role=role["Arn"],
        Runtime="python3.12",
        Handler="index.handler",
        Timeout=120,
        Code={"ZipFile": packed.getvalue()},
    )
    payload = json.dumps({"bucket": "signed"})
    ran = cloud.client("lambda", read_timeout=130).invoke(FunctionName="signs", Payload=payload)
    answer = json.loads(ran["Payload"].read())
    assert "FunctionError" not in ran, answer
    assert answer.startswith(f"{url}/signed/k?")
    with urllib.request.urlopen(answer, timeout=60) as got:
        assert got.read() == b"content"


def test_names_below_the_public_name_lead_to_what_they_name(tmp_path: Path) -> None:
    url = "https://cloud.example.com"
    cloud = Cloud(tmp_path / "data", "--bare", "--public-url", url).start()
    try:
        made = cloud.client("apigatewayv2").create_api(Name="a", ProtocolType="HTTP")
        place = f"{made['ApiId']}.execute-api.us-east-1.cloud.example.com"
        assert made["ApiEndpoint"] == f"https://{place}"
        asked = urllib.request.Request(f"{cloud.endpoint}/", headers={"Host": place})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(asked, timeout=60)
        # The API is found by its name; it has no stage yet.
        assert (refused.value.code, refused.value.read()) == (404, b'{"message":"Not Found"}')
    finally:
        cloud.stop()


@pytest.mark.parametrize(
    "url",
    ["cloud.example.com", "ftp://x", "https://x/path", "https://u:p@x", "https://[::1", "http://"],
)
def test_what_is_no_address_keeps_the_cloud_from_its_start(tmp_path: Path, url: str) -> None:
    with pytest.raises(AssertionError, match="a public URL is written"):
        Cloud(tmp_path / "data", "--public-url", url).start()
