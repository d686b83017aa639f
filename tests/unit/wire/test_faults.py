"""Errors in every protocol, as botocore's own parsers understand them.

Codes and statuses: https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html,
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html,
https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html,
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import json

import cbor2
import pytest
from botocore.awsrequest import HeadersDict
from botocore.parsers import PROTOCOL_PARSERS

from cumulet.core import errors
from cumulet.core.errors import AwsError, Generic
from cumulet.wire.faults import render

PARSERS = {"cbor": "smithy-rpc-v2-cbor"}
KINDS = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Generic)
]
KINDS.remove(Generic)
SPOKEN = [
    ("iam", "query"),
    ("sts", "query"),
    ("sqs", "query"),
    ("sqs", "json"),
    ("dynamodb", "json"),
    ("logs", "json"),
    ("cloudwatch", "cbor"),
    ("lambda", "rest-json"),
    ("apigateway", "rest-json"),
    ("s3", "rest-xml"),
]
EXPECTED = {
    ("iam", "query"): {
        "AccessDenied": ("AccessDenied", 403),
        "MissingAuthentication": ("MissingAuthenticationToken", 403),
        "UnknownKey": ("InvalidClientTokenId", 403),
        "SignatureMismatch": ("SignatureDoesNotMatch", 403),
        "ExpiredToken": ("ExpiredToken", 403),
        "RequestExpired": ("SignatureDoesNotMatch", 403),
        "ConstraintViolation": ("ValidationError", 400),
        "UnknownOperation": ("InvalidAction", 400),
        "Throttled": ("Throttling", 400),
        "InternalFailure": ("InternalFailure", 500),
        "OperationNotImplemented": ("NotImplemented", 501),
    },
    ("dynamodb", "json"): {
        "AccessDenied": ("AccessDeniedException", 400),
        "MissingAuthentication": ("MissingAuthenticationTokenException", 400),
        "UnknownKey": ("UnrecognizedClientException", 400),
        "SignatureMismatch": ("InvalidSignatureException", 400),
        "ExpiredToken": ("ExpiredTokenException", 400),
        "MalformedRequest": ("SerializationException", 400),
        "ConstraintViolation": ("ValidationException", 400),
        "UnknownOperation": ("UnknownOperationException", 400),
        "Throttled": ("ThrottlingException", 400),
        "InternalFailure": ("InternalServerError", 500),
        "OperationNotImplemented": ("NotImplementedException", 501),
    },
    ("lambda", "rest-json"): {
        "AccessDenied": ("AccessDeniedException", 403),
        "UnknownKey": ("UnrecognizedClientException", 403),
        "SignatureMismatch": ("InvalidSignatureException", 403),
        "MalformedRequest": ("InvalidRequestContentException", 400),
        "ConstraintViolation": ("ValidationException", 400),
        "Throttled": ("TooManyRequestsException", 429),
        "RequestTooLarge": ("RequestTooLargeException", 413),
        "InternalFailure": ("ServiceException", 500),
        "OperationNotImplemented": ("NotImplementedException", 501),
    },
    ("s3", "rest-xml"): {
        "AccessDenied": ("AccessDenied", 403),
        "MissingAuthentication": ("AccessDenied", 403),
        "UnknownKey": ("InvalidAccessKeyId", 403),
        "SignatureMismatch": ("SignatureDoesNotMatch", 403),
        "ExpiredToken": ("ExpiredToken", 400),
        "RequestExpired": ("RequestTimeTooSkewed", 403),
        "UnknownOperation": ("MethodNotAllowed", 405),
        "Throttled": ("SlowDown", 503),
        "RequestTooLarge": ("EntityTooLarge", 400),
        "InternalFailure": ("InternalError", 500),
        "OperationNotImplemented": ("NotImplemented", 501),
    },
    ("logs", "json"): {"ConstraintViolation": ("InvalidParameterException", 400)},
    ("sqs", "json"): {"AccessDenied": ("AccessDenied", 400)},
}


def parsed(model, protocol, response):
    name = PARSERS.get(protocol, protocol)
    message = {
        "status_code": response.status,
        "headers": HeadersDict(dict(response.headers)),
        "body": response.body,
        "context": {},
    }
    return PROTOCOL_PARSERS[name]().parse(message, None)


@pytest.mark.parametrize(("service", "protocol"), SPOKEN)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_general_error_is_understood(catalog, service, protocol, kind):
    model = catalog.service(service)
    response = render(kind("<words> & more"), model, None, protocol, "the-id")
    told = parsed(model, protocol, response)
    assert told["Error"]["Code"] != kind.__name__ or kind.__name__ in (
        "AccessDenied",
        "ExpiredToken",
        "InvalidToken",
        "IncompleteSignature",
        "InternalFailure",
        "ServiceUnavailable",
    )
    assert told["Error"]["Code"] != str(response.status)
    assert told["Error"]["Message"]
    assert told["ResponseMetadata"]["RequestId"] == "the-id"
    assert 400 <= response.status < 600
    expected = EXPECTED.get((service, protocol), {}).get(kind.__name__)
    if expected is not None:
        assert (told["Error"]["Code"], response.status) == expected


class NoSuchEntityException(AwsError):
    """An error of IAM, whose model gives it another code and the status 404."""


class ResourceNotFoundException(AwsError):
    """An error of DynamoDB and Lambda."""


def test_a_query_error_has_the_code_and_status_of_its_model(catalog):
    model = catalog.service("iam")
    error = NoSuchEntityException("The user with name x cannot be found.")
    response = render(error, model, model.operation("GetUser"), "query", "the-id")
    assert response.status == 404
    assert response.body == (
        b'<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error>'
        b"<Type>Sender</Type><Code>NoSuchEntity</Code>"
        b"<Message>The user with name x cannot be found.</Message></Error>"
        b"<RequestId>the-id</RequestId></ErrorResponse>"
    )


def test_dynamodb_tells_the_name_space_and_checksum(catalog):
    model = catalog.service("dynamodb")
    error = ResourceNotFoundException("Requested resource not found")
    response = render(error, model, model.operation("PutItem"), "json", "id")
    assert json.loads(response.body) == {
        "__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
        "message": "Requested resource not found",
    }
    assert response.status == 400
    assert "x-amz-crc32" in dict(response.headers)


def test_dynamodb_validation_is_corals(catalog):
    model = catalog.service("dynamodb")
    error = AwsError("One or more parameter values were invalid", code="ValidationException")
    response = render(error, model, model.operation("PutItem"), "json", "id")
    assert json.loads(response.body)["__type"] == "com.amazon.coral.validate#ValidationException"


def test_an_error_carries_its_members(catalog):
    model = catalog.service("dynamodb")
    error = AwsError(
        "The conditional request failed",
        code="ConditionalCheckFailedException",
        Item={"data": {"B": b"\x00"}},
    )
    response = render(error, model, model.operation("PutItem"), "json", "id")
    assert json.loads(response.body)["Item"] == {"data": {"B": "AA=="}}


def test_lambda_tells_whose_mistake_it_is(catalog):
    model = catalog.service("lambda")
    error = ResourceNotFoundException("Function not found: x")
    response = render(error, model, model.operation("GetFunction"), "rest-json", "id")
    assert json.loads(response.body) == {"Type": "User", "Message": "Function not found: x"}
    assert response.status == 404
    assert dict(response.headers)["x-amzn-errortype"] == "ResourceNotFoundException"


def test_a_member_of_an_error_may_travel_in_a_header(catalog):
    model = catalog.service("lambda")
    error = AwsError(
        "Rate Exceeded.", code="TooManyRequestsException", retryAfterSeconds="5", Reason="Rate"
    )
    response = render(error, model, model.operation("Invoke"), "rest-json", "id")
    assert response.status == 429
    assert dict(response.headers)["retry-after"] == "5"
    assert json.loads(response.body)["Reason"] == "Rate"


def test_api_gateway_writes_message_small(catalog):
    model = catalog.service("apigateway")
    error = AwsError("Invalid API identifier specified", code="NotFoundException")
    response = render(error, model, model.operation("GetRestApi"), "rest-json", "id")
    assert json.loads(response.body) == {"message": "Invalid API identifier specified"}
    assert response.status == 404


def test_s3_tells_resource_fields_and_both_ids(catalog):
    model = catalog.service("s3")
    error = AwsError(
        "The specified key does not exist.", code="NoSuchKey", http_status=404, Key="a<b"
    )
    response = render(
        error, model, model.operation("GetObject"), "rest-xml", "id", resource_path="/bucket/a"
    )
    assert response.status == 404
    assert response.body.decode().splitlines()[1] == (
        "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>"
        "<Key>a&lt;b</Key><Resource>/bucket/a</Resource><RequestId>id</RequestId>"
        "<HostId>id=</HostId></Error>"
    )
    assert dict(response.headers)["x-amz-request-id"] == "id"
    assert "x-amz-id-2" in dict(response.headers)


@pytest.mark.parametrize(("name", "status"), [("HeadObject", 404), ("GetObject", 304)])
def test_some_answers_have_no_body(catalog, name, status):
    model = catalog.service("s3")
    error = AwsError("Not here", code="NoSuchKey", http_status=status)
    response = render(error, model, model.operation(name), "rest-xml", "id")
    assert (response.status, response.body) == (status, b"")


def test_s3_tells_strangers_nothing(catalog):
    error = errors.AccessDenied("User: * is not authorized to perform: s3:GetObject")
    response = render(error, catalog.service("s3"), None, "rest-xml", "id")
    assert b"<Message>Access Denied</Message>" in response.body
    error = errors.AccessDenied("User: arn:aws:iam::1:user/a is not authorized")
    response = render(error, catalog.service("s3"), None, "rest-xml", "id")
    assert b"user/a is not authorized" in response.body


def test_an_expired_presigned_url_is_denied(catalog):
    error = errors.RequestExpired("Request has expired")
    response = render(error, catalog.service("s3"), None, "rest-xml", "id")
    assert b"<Code>AccessDenied</Code><Message>Request has expired</Message>" in response.body


@pytest.mark.parametrize(
    ("service", "protocol", "code", "header"),
    [
        ("sqs", "json", "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue;Sender"),
        ("cloudwatch", "cbor", "ResourceNotFound", "ResourceNotFound;Sender"),
    ],
)
def test_services_that_were_query_tell_the_old_code(catalog, service, protocol, code, header):
    model = catalog.service(service)
    response = render(AwsError("No such queue", code=code), model, None, protocol, "id")
    assert dict(response.headers)["x-amzn-query-error"] == header
    assert parsed(model, protocol, response)["Error"]["Code"] == header.partition(";")[0]


def test_a_cbor_error_is_cbor(catalog):
    model = catalog.service("cloudwatch")
    response = render(AwsError("No", code="LimitExceededFault"), model, None, "cbor", "id")
    body = cbor2.loads(response.body)
    assert body["message"] == "No"
    assert dict(response.headers)["smithy-protocol"] == "rpc-v2-cbor"


def test_an_error_of_ec2_has_its_form(catalog):
    model = catalog.service("ec2")
    response = render(errors.OperationNotImplemented("Not here."), model, None, "ec2", "the-id")
    assert model.protocols[0] == "ec2"
    assert response.status == 501
    told = parsed(model, "ec2", response)
    assert told["Error"] == {"Code": "NotImplemented", "Message": "Not here."}
    assert told["ResponseMetadata"]["RequestId"] == "the-id"


def test_headers_and_status_of_an_error_win(catalog):
    error = errors.Throttled("Slower", http_status=503, headers={"Retry-After": "1"})
    response = render(error, catalog.service("lambda"), None, "rest-json", "id")
    assert (response.status, dict(response.headers)["retry-after"]) == (503, "1")
