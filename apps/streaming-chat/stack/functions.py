"""The functions, each with what it may do and no more."""

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from constructs import Construct

from stack.parameters import Parameters
from stack.storage import ATTEMPTS, Queues, Tables

HERE = Path(__file__).parent.parent
LEFT_OUT = ["__pycache__", "*.pyc"]
BATCH = 5
"""Answers that one environment streams at the same time: it mostly waits for the model."""


def make(
    scope: Construct,
    name: str,
    folder: str,
    handler: str,
    runtime: lambda_.Runtime = lambda_.Runtime.PYTHON_3_12,
    **more: object,
) -> lambda_.Function:
    """A function with a log group of its own, which goes with it."""
    return lambda_.Function(
        scope,
        name,
        runtime=runtime,
        handler=handler,
        code=lambda_.Code.from_asset(str(HERE / folder), exclude=LEFT_OUT),
        log_group=logs.LogGroup(
            scope,
            f"{name}Log",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        ),
        **more,
    )


def grant(table: dynamodb.Table, function: lambda_.Function, *actions: str) -> None:
    """Allow the function these operations on the table."""
    table.grant(function, *(f"dynamodb:{action}" for action in actions))


class Functions(Construct):
    """Quota, processor and connections; the authorizer is with the door that it keeps."""

    def __init__(
        self, scope: Construct, name: str, parameters: Parameters, tables: Tables, queues: Queues
    ):
        super().__init__(scope, name)
        self._parameters, self._tables, self._queues = parameters, tables, queues
        self.quota = self._quota()
        self.processor = self._processor()
        self.connections = self._connections()

    def _quota(self) -> lambda_.Function:
        tables = self._tables
        function = self._make(
            "Quota",
            USAGE_TABLE=tables.usage.table_name,
            REQUESTS_TABLE=tables.requests.table_name,
            QUEUE_URL=self._queues.requests.queue_url,
            MONTHLY_QUOTA=cdk.Token.as_string(self._parameters.monthly_quota),
        )
        grant(tables.usage, function, "GetItem", "UpdateItem")
        grant(tables.requests, function, "GetItem", "PutItem", "DeleteItem")
        self._queues.requests.grant_send_messages(function)
        return function

    def _processor(self) -> lambda_.Function:
        tables, parameters = self._tables, self._parameters
        function = self._make(
            "Processor",
            seconds=parameters.answer_seconds,
            REQUESTS_TABLE=tables.requests.table_name,
            PIECES_TABLE=tables.pieces.table_name,
            CONNECTIONS_TABLE=tables.connections.table_name,
            QUEUE_URL=self._queues.requests.queue_url,
            MODEL_ID=parameters.model,
            MAX_TOKENS=cdk.Token.as_string(parameters.max_tokens),
            LEASE_SECONDS=cdk.Token.as_string(parameters.lease_seconds),
            ATTEMPTS=str(ATTEMPTS),
        )
        grant(tables.requests, function, "UpdateItem")
        grant(tables.pieces, function, "PutItem")
        grant(tables.connections, function, "Query", "DeleteItem")
        stack = cdk.Stack.of(self)
        model = f"arn:{stack.partition}:bedrock:{stack.region}::foundation-model/{parameters.model}"
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["bedrock:InvokeModelWithResponseStream"], resources=[model]
            )
        )
        function.add_event_source(
            sources.SqsEventSource(
                self._queues.requests, batch_size=BATCH, report_batch_item_failures=True
            )
        )
        return function

    def _connections(self) -> lambda_.Function:
        tables = self._tables
        function = self._make(
            "Connections",
            REQUESTS_TABLE=tables.requests.table_name,
            PIECES_TABLE=tables.pieces.table_name,
            CONNECTIONS_TABLE=tables.connections.table_name,
            ATTEMPTS=str(ATTEMPTS),
        )
        grant(tables.connections, function, "PutItem", "DeleteItem")
        grant(tables.requests, function, "GetItem", "UpdateItem")
        grant(tables.pieces, function, "Query")
        return function

    def _make(self, name: str, seconds: int = 20, **environment: str) -> lambda_.Function:
        return make(
            self,
            name,
            "src",
            f"{name.lower()}.handler",
            timeout=cdk.Duration.seconds(seconds),
            memory_size=256,
            environment=environment,
        )
