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


JUDGE = (
    "def handler(event, context):\n"
    "    return {'principalId': 'bench', 'context': {'a': 'b'}, 'policyDocument': {\n"
    "        'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow',\n"
    "        'Action': 'execute-api:Invoke', 'Resource': '*'}]}}\n"
)
PLENTY = 10**9


def admit(server: Server, path: str, function_arn: str) -> tuple[str, bytes, dict[str, str]]:
    """Add a method to the API at this path that asks for all admission there is; how to call it.

    A Lambda authorizer whose answer is kept, an API key, and a plan with quota and throttles.
    """
    gateway, api = client(server, "apigateway"), path.split("/")[2]
    judge = make_function(server, "judge", JUDGE)
    client(server, "lambda").add_permission(
        FunctionName=judge, StatementId="bench", Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )  # fmt: skip
    uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{}/invocations"
    authorizer = gateway.create_authorizer(
        restApiId=api, name="judge", type="TOKEN", authorizerUri=uri.format(judge),
        identitySource="method.request.header.Authorization", authorizerResultTtlInSeconds=3_600,
    )["id"]  # fmt: skip
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    node = gateway.create_resource(restApiId=api, parentId=root, pathPart="admitted")["id"]
    place = {"restApiId": api, "resourceId": node, "httpMethod": "GET"}
    gateway.put_method(
        **place, authorizationType="CUSTOM", authorizerId=authorizer, apiKeyRequired=True
    )
    gateway.put_integration(
        **place, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri.format(function_arn)
    )
    gateway.create_deployment(restApiId=api, stageName="prod")
    throttle = {"rateLimit": float(PLENTY - 1), "burstLimit": PLENTY}
    plan = gateway.create_usage_plan(
        name="bench", throttle=throttle, quota={"limit": PLENTY, "period": "MONTH"},
        apiStages=[
            {"apiId": api, "stage": "prod", "throttle": {"/admitted/GET": throttle}},
        ],
    )["id"]  # fmt: skip
    key = gateway.create_api_key(name="bench", enabled=True)
    gateway.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    return f"{path}admitted", b"", {"Authorization": "bench", "X-Api-Key": key["value"]}
