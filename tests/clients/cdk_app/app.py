"""The first microservice as a CDK application."""

import os

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_

app = cdk.App()
stack = cdk.Stack(app, "by-cdk", env=cdk.Environment(account="000000000000", region="us-east-1"))
calculator = lambda_.Function(
    stack,
    "Calculator",
    runtime=lambda_.Runtime.PYTHON_3_12,
    handler="calculator.handler",
    code=lambda_.Code.from_asset(os.environ["CODE"]),
)
api = apigateway.RestApi(stack, "Api", cloud_watch_role=False, deploy=True)
calculations = api.root.add_resource("calculations")
for method in ("GET", "POST"):
    calculations.add_method(method, apigateway.LambdaIntegration(calculator))
cdk.CfnOutput(stack, "Url", value=api.url_for_path("/calculations"))
cdk.CfnOutput(stack, "FunctionName", value=calculator.function_name)
app.synth()
