"""The serverless transform, in its own process."""

import asyncio
import sys

import pytest

from cumulet.services.cloudformation.macros import sam_worker
from cumulet.services.cloudformation.macros.sam import (
    TransformFailed,
    expand_serverless,
    refuse,
)


def serverless(**properties):
    return {
        "Transform": "AWS::Serverless-2016-10-31",
        "Globals": {"Function": {"Timeout": 3}},
        "Parameters": {"Stage": {"Type": "String"}},
        "Resources": {
            "Hello": {
                "Type": "AWS::Serverless::Function",
                "Properties": {
                    "CodeUri": "s3://bucket/key",
                    "Handler": "app.handler",
                    "Runtime": "python3.12",
                    "Policies": ["AWSLambdaBasicExecutionRole"],
                    "Events": {
                        "Get": {"Type": "Api", "Properties": {"Path": "/hello", "Method": "get"}}
                    },
                    **properties,
                },
            }
        },
    }


def test_a_function_with_an_api_becomes_plain_resources():
    expanded = asyncio.run(expand_serverless(serverless(), {"Stage": "x"}, "eu-west-1"))
    types = sorted(one["Type"] for one in expanded["Resources"].values())
    assert types == [
        "AWS::ApiGateway::Deployment",
        "AWS::ApiGateway::RestApi",
        "AWS::ApiGateway::Stage",
        "AWS::IAM::Role",
        "AWS::Lambda::Function",
        "AWS::Lambda::Permission",
    ]
    hello = expanded["Resources"]["Hello"]["Properties"]
    assert hello["Timeout"] == 3
    assert hello["Code"] == {"S3Bucket": "bucket", "S3Key": "key"}
    assert expanded["Resources"]["HelloRole"]["Properties"]["ManagedPolicyArns"] == [
        "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    ]
    assert "Transform" not in expanded


def test_the_translators_words_reach_the_caller():
    with pytest.raises(TransformFailed, match=r"Resource with id \[Hello\] is invalid") as refused:
        asyncio.run(expand_serverless(serverless(Events={"X": {}}), {}, "eu-west-1"))
    assert refused.value.code == "ValidationError"
    assert refused.value.message.startswith("Transform AWS::Serverless-2016-10-31 failed with: ")


def test_a_missing_translator_is_said_with_the_remedy(monkeypatch):
    # The import system takes None for "this cannot be imported".
    monkeypatch.setitem(sys.modules, "samtranslator.translator.translator", None)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "")
    answer = sam_worker.expanded({"template": {}, "parameters": {}, "region": "eu-west-1"})
    assert list(answer) == ["missing"]
    with pytest.raises(TransformFailed, match=r"pip install 'cumulet\[sam\]'"):
        refuse(answer)


def test_a_process_that_answers_nothing_is_an_internal_failure():
    with pytest.raises(TransformFailed, match=r"Internal transform failure\. it ended with code 1"):
        refuse({"broken": "it ended with code 1"})
