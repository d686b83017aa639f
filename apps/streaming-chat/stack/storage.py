"""The tables, and the queue with its dead letters."""

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stack.parameters import Parameters

ATTEMPTS = 3


class Tables(Construct):
    """Everything ends by its time to live."""

    def __init__(self, scope: Construct, name: str):
        super().__init__(scope, name)
        self.usage = self._table("Usage", "user", "month")
        self.requests = self._table("Requests", "user", "id")
        self.pieces = self._table("Pieces", "answer", "first", dynamodb.AttributeType.NUMBER)
        self.connections = self._table("Connections", "user", "connection")

    def _table(
        self,
        name: str,
        partition: str,
        sort: str,
        kind: dynamodb.AttributeType = dynamodb.AttributeType.STRING,
    ) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            name,
            partition_key={"name": partition, "type": dynamodb.AttributeType.STRING},
            sort_key={"name": sort, "type": kind},
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute="expires",
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )


class Queues(Construct):
    """Requests on their way to the model, and those that nobody could answer."""

    def __init__(self, scope: Construct, name: str, parameters: Parameters):
        super().__init__(scope, name)
        self.unanswered = sqs.Queue(self, "Unanswered", retention_period=cdk.Duration.days(14))
        self.requests = sqs.Queue(
            self,
            "Requests",
            visibility_timeout=cdk.Duration.seconds(parameters.hidden_seconds),
            dead_letter_queue={"queue": self.unanswered, "max_receive_count": ATTEMPTS},
        )
