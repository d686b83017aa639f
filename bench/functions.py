"""The function and the API of the benchmarks, made through any cloud's own operations."""

from __future__ import annotations

import io
import json
import zipfile

import boto3
from botocore.config import Config

from bench.clouds import Server

ACCOUNT = "000000000000"
PLAIN = "def handler(event, context):\n    return {'statusCode': 200, 'body': 'ok'}\n"
WITH_CLIENT = (
    "import boto3\nclient = boto3.client('dynamodb')\n"
    "def handler(event, context):\n    return {'statusCode': 200, 'body': 'ok'}\n"
)
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
MAY_LOG = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}],
}


def client(server: Server, service: str):
    return boto3.client(
        service,
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=server.key[0],
        aws_secret_access_key=server.key[1],
        config=Config(retries={"total_max_attempts": 1}, read_timeout=60),
    )


def make_function(
    server: Server, name: str = "bench", code: str = PLAIN, *, logs: bool = False
) -> str:
    """Make a Python function, whose role may write logs if wanted; returns its ARN."""
    role = client(server, "iam").create_role(
        RoleName=f"role-{name}", AssumeRolePolicyDocument=json.dumps(TRUST)
    )["Role"]["Arn"]
    if logs:
        client(server, "iam").put_role_policy(
            RoleName=f"role-{name}", PolicyName="logs", PolicyDocument=json.dumps(MAY_LOG)
        )
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.py", code)
    lambda_ = client(server, "lambda")
    made = lambda_.create_function(
        FunctionName=name, Runtime="python3.12", Role=role, Handler="app.handler",
        Code={"ZipFile": package.getvalue()}, MemorySize=256, Timeout=10,
    )  # fmt: skip
    lambda_.get_waiter("function_active_v2").wait(
        FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    return str(made["FunctionArn"])


def make_api(server: Server, function_arn: str) -> str:
    """Make a REST API whose root passes everything to the function; returns its path."""
    gateway = client(server, "apigateway")
    api = gateway.create_rest_api(name="bench")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    gateway.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    gateway.put_integration(
        restApiId=api, resourceId=root, httpMethod="GET", type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri="arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
            f"{function_arn}/invocations",
    )  # fmt: skip
    client(server, "lambda").add_permission(
        FunctionName=function_arn, StatementId="bench", Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )  # fmt: skip
    gateway.create_deployment(restApiId=api, stageName="prod")
    return f"/restapis/{api}/prod/_user_request_/"
