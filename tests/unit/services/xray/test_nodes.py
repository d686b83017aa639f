"""Nodes of graphs.

https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-inferredsegments
"""

from __future__ import annotations

from typing import Any

import pytest

from cumulet.services.xray.graph import CLIENT, calls_of
from cumulet.services.xray.nodes import node_of


@pytest.mark.parametrize(
    ("document", "node"),
    [
        ({"name": "a/b", "origin": "AWS::ApiGateway::Stage"}, ("a/b", "AWS::ApiGateway::Stage")),
        (
            {"name": "dynamodb", "namespace": "aws", "aws": {"table_name": "t"}},
            ("t", "AWS::DynamoDB::Table"),
        ),
        ({"name": "DynamoDB", "namespace": "aws", "aws": []}, ("DynamoDB", "AWS::DynamoDB")),
        ({"name": "s3", "namespace": "aws", "aws": {"bucket_name": "b"}}, ("b", "AWS::S3::Bucket")),
        ({"name": "sqs", "namespace": "aws", "aws": {"queue_url": "u"}}, ("u", "AWS::SQS::Queue")),
        ({"name": "SNS", "namespace": "aws", "aws": {"topic_arn": "t"}}, ("t", "AWS::SNS")),
        ({"name": "kms", "namespace": "aws"}, ("kms", "AWS::kms")),
        ({"name": "example.com", "namespace": "remote"}, ("example.com", "remote")),
        ({"name": "work"}, ("work", "client")),
    ],
)
def test_a_node_is_what_was_called(document: dict[str, Any], node: tuple[str, str]) -> None:
    assert node_of(document) == node


def test_whom_a_queue_handed_a_message_to_is_called_by_the_queue() -> None:
    documents = [
        {"id": "a", "name": "first", "origin": "F"},
        {"id": "b", "name": "work", "type": "subsegment", "parent_id": "a"},
        {
            "id": "c",
            "name": "sqs",
            "type": "subsegment",
            "parent_id": "b",
            "namespace": "aws",
            "aws": {"queue_url": "u"},
        },
        {"id": "d", "name": "second", "origin": "F", "parent_id": "c"},
    ]
    queue = ("u", "AWS::SQS::Queue")
    assert [(caller, node) for caller, node, _ in calls_of(documents)] == [
        (CLIENT, ("first", "F")),
        (("first", "F"), queue),
        (queue, ("second", "F")),
    ]


def test_a_call_that_was_answered_is_the_answers() -> None:
    documents = [
        {
            "id": "a",
            "name": "api/prod",
            "origin": "G",
            "subsegments": [{"id": "b", "name": "Lambda", "namespace": "aws"}],
        },
        {"id": "c", "name": "f", "origin": "AWS::Lambda", "parent_id": "b"},
    ]
    found = [(caller, node) for caller, node, _ in calls_of(documents)]
    assert found == [(CLIENT, ("api/prod", "G")), (("api/prod", "G"), ("f", "AWS::Lambda"))]


def test_documents_that_name_each_other_as_parents_end() -> None:
    documents = [
        {"id": "a", "name": "x", "type": "subsegment", "parent_id": "b", "namespace": "remote"},
        {"id": "b", "name": "y", "type": "subsegment", "parent_id": "a", "namespace": "remote"},
    ]
    assert len(list(calls_of(documents))) == 2
