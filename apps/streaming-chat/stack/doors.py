"""The two ways in: requests by REST, answers by WebSocket; both for users of the pool alone."""

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_apigatewayv2 as sockets
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_apigatewayv2_authorizers import WebSocketLambdaAuthorizer
from aws_cdk.aws_apigatewayv2_integrations import WebSocketLambdaIntegration
from constructs import Construct

from stack.functions import Functions, make
from stack.parameters import Parameters

STAGE = "live"


class Users(Construct):
    """Who may ask: people who confirmed their e-mail address."""

    def __init__(self, scope: Construct, name: str):
        super().__init__(scope, name)
        self.pool = cognito.UserPool(
            self,
            "Pool",
            self_sign_up_enabled=True,
            sign_in_aliases={"email": True},
            auto_verify={"email": True},
            password_policy={"min_length": 10, "require_symbols": False},
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.client = self.pool.add_client(
            "Web",
            # People sign in by SRP; the other way takes an administrator's key, as tests have it.
            auth_flows={"user_srp": True, "admin_user_password": True},
            prevent_user_existence_errors=True,
            access_token_validity=cdk.Duration.hours(1),
            id_token_validity=cdk.Duration.hours(1),
            refresh_token_validity=cdk.Duration.days(30),
            disable_o_auth=True,
        )


class Requests(Construct):
    """`POST /requests` and `GET /quota`, throttled by the stage."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        parameters: Parameters,
        users: Users,
        functions: Functions,
    ):
        super().__init__(scope, name)
        self.api = apigateway.RestApi(
            self,
            "Api",
            cloud_watch_role=False,
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            deploy_options={
                "stage_name": STAGE,
                "throttling_rate_limit": parameters.rate,
                "throttling_burst_limit": parameters.burst,
                "metrics_enabled": True,
            },
            default_cors_preflight_options={
                "allow_origins": ["*"],
                "allow_headers": ["Authorization", "Content-Type"],
                "allow_methods": ["GET", "POST"],
                "max_age": cdk.Duration.hours(1),
            },
        )
        # Refusals of the gateway itself must be readable for the page too.
        for kind in ("DEFAULT_4_XX", "DEFAULT_5_XX"):
            self.api.add_gateway_response(
                kind.title().replace("_", ""),
                type=getattr(apigateway.ResponseType, kind),
                response_headers={"Access-Control-Allow-Origin": "'*'"},
            )
        authorizer = apigateway.CognitoUserPoolsAuthorizer(
            self, "Authorizer", cognito_user_pools=[users.pool]
        )
        behind = apigateway.LambdaIntegration(functions.quota)
        for path, method in (("requests", "POST"), ("quota", "GET")):
            self.api.root.add_resource(path).add_method(method, behind, authorizer=authorizer)


class Answers(Construct):
    """The socket on which answers come."""

    def __init__(self, scope: Construct, name: str, users: Users, functions: Functions):
        super().__init__(scope, name)
        authorizer = make(
            self,
            "Authorizer",
            "authorizer",
            "index.handler",
            lambda_.Runtime.NODEJS_22_X,
            timeout=cdk.Duration.seconds(10),
            memory_size=256,
            environment={
                "USER_POOL_ID": users.pool.user_pool_id,
                "CLIENT_ID": users.client.user_pool_client_id,
            },
        )
        self.api = sockets.WebSocketApi(
            self, "Api", route_selection_expression="$request.body.action"
        )

        def behind(name: str) -> WebSocketLambdaIntegration:
            return WebSocketLambdaIntegration(name, functions.connections)

        self.api.add_route(
            "$connect",
            integration=behind("ToConnect"),
            authorizer=WebSocketLambdaAuthorizer(
                "Door", authorizer, identity_source=["route.request.querystring.token"]
            ),
        )
        others = {"$disconnect": "ToDisconnect", "$default": "ToAnything", "resume": "ToResume"}
        for route, name in others.items():
            self.api.add_route(route, integration=behind(name))
        self.stage = sockets.WebSocketStage(
            self, "Stage", web_socket_api=self.api, stage_name=STAGE, auto_deploy=True
        )
        for function in (functions.processor, functions.connections):
            self.stage.grant_management_api_access(function)
            function.add_environment("SOCKET_ENDPOINT", self.stage.callback_url)
