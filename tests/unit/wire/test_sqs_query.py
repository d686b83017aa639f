"""The names of SQS's query protocol: the examples of
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
"""

import pytest

from cumulet.core.errors import AwsError
from cumulet.core.http import BytesBody, Request
from cumulet.wire.codec import read_request, write_response
from cumulet.wire.faults import render


@pytest.fixture(scope="module")
def model(catalog):
    return catalog.service("sqs")


def read(model, name, text):
    body = text.encode()
    request = Request("POST", "/", body=BytesBody(body))
    return read_request(model, model.operation(name), "query", request, body)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "CreateQueue",
            "QueueName=q&Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=40&Tag.1.Key=a"
            "&Tag.1.Value=b",
            {"QueueName": "q", "Attributes": {"VisibilityTimeout": "40"}, "tags": {"a": "b"}},
        ),
        (
            "SendMessage",
            "QueueUrl=u&MessageBody=m&MessageAttribute.1.Name=n&MessageAttribute.1.Value."
            "DataType=String&MessageAttribute.1.Value.StringValue=v",
            {
                "QueueUrl": "u",
                "MessageBody": "m",
                "MessageAttributes": {"n": {"DataType": "String", "StringValue": "v"}},
            },
        ),
        (
            "SendMessageBatch",
            "QueueUrl=u&SendMessageBatchRequestEntry.1.Id=a&SendMessageBatchRequestEntry.1."
            "MessageBody=b",
            {"QueueUrl": "u", "Entries": [{"Id": "a", "MessageBody": "b"}]},
        ),
        (
            "ReceiveMessage",
            "QueueUrl=u&AttributeName.1=All&MaxNumberOfMessages=5&MessageAttributeName.1=n",
            {
                "QueueUrl": "u",
                "AttributeNames": ["All"],
                "MaxNumberOfMessages": 5,
                "MessageAttributeNames": ["n"],
            },
        ),
        ("UntagQueue", "QueueUrl=u&TagKey.1=a", {"QueueUrl": "u", "TagKeys": ["a"]}),
    ],
)
def test_query_names_are_read(model, name, text, expected):
    assert read(model, name, text) == expected


@pytest.mark.parametrize(
    ("name", "output", "inner"),
    [
        ("ListQueues", {"QueueUrls": ["a", "b"]}, "<QueueUrl>a</QueueUrl><QueueUrl>b</QueueUrl>"),
        (
            "GetQueueAttributes",
            {"Attributes": {"QueueArn": "x"}},
            "<Attribute><Name>QueueArn</Name><Value>x</Value></Attribute>",
        ),
        (
            "ReceiveMessage",
            {"Messages": [{"MessageId": "i", "Attributes": {"SentTimestamp": "1"}}]},
            "<Message><MessageId>i</MessageId><Attribute><Name>SentTimestamp</Name>"
            "<Value>1</Value></Attribute></Message>",
        ),
        (
            "DeleteMessageBatch",
            {"Successful": [{"Id": "a"}], "Failed": []},
            "<DeleteMessageBatchResultEntry><Id>a</Id></DeleteMessageBatchResultEntry>",
        ),
    ],
)
def test_query_answers_have_their_names(model, name, output, inner):
    response = write_response(model, model.operation(name), "query", output, "id")
    assert response.body.decode() == (
        f'<{name}Response xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><{name}Result>{inner}'
        f"</{name}Result><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata>"
        f"</{name}Response>"
    )


def test_json_names_stay_as_they_are(model):
    response = write_response(
        model, model.operation("ListQueues"), "json", {"QueueUrls": ["a"]}, "id"
    )
    assert response.body == b'{"QueueUrls":["a"]}'


def test_errors_have_their_old_codes(model):
    error = AwsError("The specified queue does not exist.", code="QueueDoesNotExist")
    response = render(error, model, model.operation("SendMessage"), "query", "id")
    assert b"<Code>AWS.SimpleQueueService.NonExistentQueue</Code>" in response.body
    assert response.status == 400
