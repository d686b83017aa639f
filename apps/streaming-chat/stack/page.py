"""The page: built, put into a bucket that is a website, and told where everything is."""

import shutil
import subprocess
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from stack.doors import STAGE, Answers, Requests, Users
from stack.functions import HERE, make

WEB = HERE / "web"
BUILT = HERE / "build" / "page"
LIBRARY = WEB / "node_modules" / "amazon-cognito-identity-js"
OWN = (".html", ".css", ".js", ".svg")


def build() -> Path:
    """The folder of the page: our files, and the library that signs in, as npm has it."""
    if not LIBRARY.exists():
        words = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(words, cwd=WEB, check=True)
    shutil.rmtree(BUILT, ignore_errors=True)
    BUILT.mkdir(parents=True)
    for path in sorted(WEB.iterdir()):
        if path.suffix in OWN:
            shutil.copy(path, BUILT)
    shutil.copy(LIBRARY / "dist" / "amazon-cognito-identity.min.js", BUILT / "cognito.min.js")
    shutil.copy(LIBRARY / "LICENSE.txt", BUILT / "cognito.LICENSE.txt")
    return BUILT


class Page(Construct):
    """A website of S3."""

    def __init__(
        self, scope: Construct, name: str, users: Users, requests: Requests, answers: Answers
    ):
        super().__init__(scope, name)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            website_index_document="index.html",
            public_read_access=True,
            block_public_access=s3.BlockPublicAccess(
                block_public_acls=True,
                ignore_public_acls=True,
                block_public_policy=False,
                restrict_public_buckets=False,
            ),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        content = assets.Asset(self, "Content", path=str(build()))
        publisher = make(
            self,
            "Publisher",
            "publisher",
            "publish.handler",
            timeout=cdk.Duration.minutes(1),
            memory_size=256,
        )
        content.grant_read(publisher)
        self.bucket.grant_put(publisher)
        self.bucket.grant_delete(publisher)
        self.bucket.grant_read(publisher)
        published = cdk.CustomResource(
            self,
            "Published",
            service_token=publisher.function_arn,
            properties={
                "Bucket": self.bucket.bucket_name,
                "SourceBucket": content.s3_bucket_name,
                "SourceKey": content.s3_object_key,
                "UserPool": users.pool.user_pool_id,
                "Client": users.client.user_pool_client_id,
                "RestApi": requests.api.rest_api_id,
                "RestStage": STAGE,
                "SocketApi": answers.api.api_id,
                "SocketStage": STAGE,
            },
        )
        # The rights must be there before the publisher runs, and until it has run at the end.
        published.node.add_dependency(publisher.role, self.bucket)
