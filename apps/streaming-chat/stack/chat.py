"""The stack: its parts, and what it tells whoever deployed it."""

import aws_cdk as cdk
from constructs import Construct

from stack.doors import Answers, Requests, Users
from stack.functions import Functions
from stack.page import Page
from stack.parameters import Parameters
from stack.storage import Queues, Tables


class Chat(cdk.Stack):
    """Everything; a second one beside it shares nothing with it."""

    def __init__(self, scope: Construct, name: str, **more: object):
        super().__init__(scope, name, **more)
        parameters = Parameters(self)
        tables = Tables(self, "Tables")
        queues = Queues(self, "Queues", parameters)
        functions = Functions(self, "Functions", parameters, tables, queues)
        users = Users(self, "Users")
        requests = Requests(self, "Requests", parameters, users, functions)
        answers = Answers(self, "Answers", users, functions)
        page = Page(self, "Site", users, requests, answers)
        for key, value in {
            "Page": page.bucket.bucket_website_url,
            "Api": requests.api.url,
            "SocketApi": answers.api.api_id,
            "Socket": answers.stage.url,
            "UserPool": users.pool.user_pool_id,
            "Client": users.client.user_pool_client_id,
            "Unanswered": queues.unanswered.queue_url,
            "QuotaFunction": functions.quota.function_name,
        }.items():
            cdk.CfnOutput(self, key, value=value)
