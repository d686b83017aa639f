"""The first microservice as a CDK application."""

import os

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

app = cdk.App()
stack = cdk.Stack(app, "by-cdk", env=cdk.Environment(account="000000000000", region="us-east-1"))


def function(name: str, module: str, **environment: str) -> lambda_.Function:
    return lambda_.Function(
        stack,
        name,
        runtime=lambda_.Runtime.PYTHON_3_12,
        handler=f"{module}.handler",
        code=lambda_.Code.from_asset(os.environ["CODE"]),
        environment=environment,
    )


def statement(effect: iam.Effect, resource: str, **conditions: object) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        effect=effect,
        principals=[iam.AnyPrincipal()],
        actions=["execute-api:Invoke"],
        resources=[resource],
        conditions=conditions,
    )


calculator = function("Calculator", "calculator")
doorkeeper = function("Doorkeeper", "doorkeeper", PASSPHRASE="by-cdk")
api = apigateway.RestApi(
    stack,
    "Api",
    cloud_watch_role=False,
    deploy=True,
    default_cors_preflight_options=apigateway.CorsOptions(
        allow_origins=["*"],
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        status_code=200,
    ),
    policy=iam.PolicyDocument(
        statements=[
            statement(iam.Effect.ALLOW, "execute-api:/*"),
            statement(
                iam.Effect.DENY,
                "execute-api:/prod/GET/health",
                NotIpAddress={"aws:SourceIp": "192.0.2.0/24"},
            ),
        ]
    ),
)
api.add_gateway_response(
    "Refused",
    type=apigateway.ResponseType.DEFAULT_4_XX,
    response_headers={"Access-Control-Allow-Origin": "'*'"},
)
authorizer = apigateway.TokenAuthorizer(
    stack, "Door", handler=doorkeeper, validation_regex="^Bearer .+$"
)
behind = apigateway.LambdaIntegration(calculator)
calculations = api.root.add_resource("calculations")
for method in ("GET", "POST"):
    calculations.add_method(method, behind)
calculations.add_method("PUT", behind, api_key_required=True)
calculations.add_method("PATCH", behind, authorizer=authorizer)
calculations.add_method("DELETE", behind, authorization_type=apigateway.AuthorizationType.IAM)
api.root.add_resource("health").add_method("GET", behind)
key = api.add_api_key("Key")
plan = api.add_usage_plan(
    "Plan",
    throttle=apigateway.ThrottleSettings(rate_limit=50, burst_limit=100),
    quota=apigateway.QuotaSettings(limit=10000, period=apigateway.Period.DAY),
)
plan.add_api_key(key)
plan.add_api_stage(stage=api.deployment_stage)
cdk.CfnOutput(stack, "Url", value=api.url_for_path("/calculations"))
cdk.CfnOutput(stack, "FunctionName", value=calculator.function_name)
cdk.CfnOutput(stack, "ApiKeyId", value=key.key_id)
cdk.CfnOutput(stack, "DoorkeeperName", value=doorkeeper.function_name)
app.synth()
