"""AWS's sentences for broken constraints.

The words: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
and the limits of https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
"""

import pytest

from cumulet.core.errors import AwsError, ConstraintViolation, MalformedRequest
from cumulet.core.http import BytesBody
from cumulet.wire.catalog import Catalog
from cumulet.wire.constraints import SHOWN_CHARACTERS_MAX, check
from cumulet.wire.model import ServiceModel


def operation(members, required=(), shapes=None, service="made"):
    raw = {
        "metadata": {"protocol": "json"},
        "operations": {"Do": {"name": "Do", "input": {"shape": "DoInput"}}},
        "shapes": {
            "DoInput": {"type": "structure", "members": members, "required": list(required)},
            "Short": {"type": "string", "min": 2, "max": 4, "pattern": "[a-z]+"},
            "Kind": {"type": "string", "enum": ["A", "B"]},
            "Count": {"type": "integer", "min": 1, "max": 10},
            "Shorts": {"type": "list", "member": {"shape": "Short"}, "max": 2},
            "Kinds": {"type": "list", "member": {"shape": "Kind"}},
            "Data": {"type": "blob", "max": 3},
            "Secret": {"type": "string", "min": 6, "sensitive": True},
            "Labels": {"type": "map", "key": {"shape": "Short"}, "value": {"shape": "Short"}},
            "Tag": {
                "type": "structure",
                "members": {"Key": {"shape": "Short"}, "Value": {"shape": "Free"}},
                "required": ["Key"],
            },
            "Tags": {"type": "list", "member": {"shape": "Tag"}},
            "Free": {"type": "string"},
            **(shapes or {}),
        },
    }
    return ServiceModel(service, raw["metadata"], lambda: raw).operation("Do")


def violation(made, request):
    with pytest.raises(ConstraintViolation) as caught:
        check(made, request)
    return caught.value.message


ONE = "1 validation error detected: "


@pytest.mark.parametrize(
    ("shape", "value", "sentence"),
    [
        ("Short", "abcde", "Value 'abcde' at 'theName' failed to satisfy constraint: Member must "
         "have length less than or equal to 4"),
        ("Short", "a", "Value 'a' at 'theName' failed to satisfy constraint: Member must have "
         "length greater than or equal to 2"),
        ("Short", "a1", "Value 'a1' at 'theName' failed to satisfy constraint: Member must satisfy "
         "regular expression pattern: [a-z]+"),
        ("Kind", "C", "Value 'C' at 'theName' failed to satisfy constraint: Member must satisfy "
         "enum value set: [A, B]"),
        ("Count", 11, "Value '11' at 'theName' failed to satisfy constraint: Member must have "
         "value less than or equal to 10"),
        ("Count", 0, "Value '0' at 'theName' failed to satisfy constraint: Member must have value "
         "greater than or equal to 1"),
        ("Shorts", ["ab", "cd", "ef"], "Value '[ab, cd, ef]' at 'theName' failed to satisfy "
         "constraint: Member must have length less than or equal to 2"),
        ("Kinds", ["A", "C"], "Value '[A, C]' at 'theName' failed to satisfy constraint: Member "
         "must satisfy constraint: [Member must satisfy enum value set: [A, B]]"),
        ("Data", b"abcd", "Value 'java.nio.HeapByteBuffer[pos=0 lim=4 cap=4]' at 'theName' failed "
         "to satisfy constraint: Member must have length less than or equal to 3"),
        ("Secret", "short", "Value at 'theName' failed to satisfy constraint: Member must have "
         "length greater than or equal to 6"),
        ("Labels", {"ab": "toolong"}, "Value '{ab=toolong}' at 'theName' failed to satisfy "
         "constraint: Map value must satisfy constraint: [Member must have length less than or "
         "equal to 4, Member must have length greater than or equal to 2, Member must satisfy "
         "regular expression pattern: [a-z]+]"),
        ("Labels", {"a": "ab"}, "Value '{a=ab}' at 'theName' failed to satisfy constraint: Map "
         "keys must satisfy constraint: [Member must have length less than or equal to 4, Member "
         "must have length greater than or equal to 2, Member must satisfy regular expression "
         "pattern: [a-z]+]"),
        ("Tags", [{"Key": "ab"}, {"Key": "a"}], "Value 'a' at 'theName.2.member.key' failed to "
         "satisfy constraint: Member must have length greater than or equal to 2"),
        ("Tags", [{}], "Value null at 'theName.1.member.key' failed to satisfy constraint: Member "
         "must not be null"),
    ],
)  # fmt: skip
def test_a_broken_constraint_is_told(shape, value, sentence):
    assert violation(operation({"TheName": {"shape": shape}}), {"TheName": value}) == ONE + sentence


def test_what_is_missing_is_told():
    made = operation({"TheName": {"shape": "Free"}}, required=["TheName"])
    expected = "Value null at 'theName' failed to satisfy constraint: Member must not be null"
    assert violation(made, {}) == ONE + expected
    assert violation(made, {"TheName": None}) == ONE + expected
    check(made, {"TheName": ""})


def test_several_are_counted_and_joined():
    made = operation({"A": {"shape": "Count"}, "B": {"shape": "Kind"}}, required=["A"])
    assert violation(made, {"B": "x"}) == (
        "2 validation errors detected: Value null at 'a' failed to satisfy constraint: Member must "
        "not be null; Value 'x' at 'b' failed to satisfy constraint: Member must satisfy enum "
        "value set: [A, B]"
    )


def test_a_long_message_is_bounded():
    made = operation({"Tags": {"shape": "Tags"}})
    message = violation(made, {"Tags": [{"Key": "x" * 100_000}] * 1000})
    assert message.startswith("1000 validation errors detected: ") or "2000" in message[:5]
    assert len(message) < 30 * SHOWN_CHARACTERS_MAX


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"S": "abcd", "C": 10, "L": ["ab"], "D": b"abc", "M": {"ab": "cd"}},
        {"S": None, "T": [{"Key": "ab", "Value": ""}]},
        {"Unknown": object()},
        {"D": BytesBody(b"a long stream")},
    ],
)
def test_good_requests_pass(request_):
    shapes = {"S": "Short", "C": "Count", "L": "Shorts", "D": "Data", "M": "Labels", "T": "Tags"}
    check(operation({name: {"shape": shape} for name, shape in shapes.items()}), request_)


def test_a_recursive_shape_is_checked_to_its_depth():
    tree = {
        "type": "structure",
        "members": {"Name": {"shape": "Short"}, "Child": {"shape": "Tree"}},
    }
    made = operation({"Root": {"shape": "Tree"}}, shapes={"Tree": tree})
    request = {"Root": {"Name": "ab", "Child": {"Child": {"Name": "x"}}}}
    assert "'root.child.child.name'" in violation(made, request)


def test_a_pattern_that_cannot_be_translated_does_not_refuse():
    shapes = {"Odd": {"type": "string", "pattern": "[a-z&&[^b]]+"}}
    check(operation({"A": {"shape": "Odd"}}, shapes=shapes), {"A": "B"})


@pytest.mark.parametrize("service", ["apigateway"])
def test_some_services_check_for_themselves(service):
    check(operation({"A": {"shape": "Count"}}, required=["A"], service=service), {})


def test_sqs_names_the_parameter():
    made = operation({"QueueName": {"shape": "Free"}}, required=["QueueName"], service="sqs")
    with pytest.raises(AwsError) as caught:
        check(made, {})
    assert caught.value.code == "MissingParameter"
    assert caught.value.message == "The request must contain the parameter QueueName."


@pytest.mark.parametrize(
    ("service", "name", "request_", "part"),
    [
        ("iam", "CreateUser", {"UserName": "a b"}, r"pattern: [\w+=,.@-]+"),
        (
            "iam",
            "CreateUser",
            {"UserName": "u", "Tags": [{"Key": "k", "Value": "☃\u0001"}]},
            "'tags.1.member.value'",
        ),
        ("lambda", "Invoke", {}, "Value null at 'functionName'"),
        ("logs", "CreateLogGroup", {"logGroupName": "a" * 513}, "less than or equal to 512"),
        (
            "cognito-idp",
            "AdminGetUser",
            {"UserPoolId": "a_b", "Username": ""},
            "Value at 'username'",
        ),
    ],
)
def test_the_models_of_services_are_followed(catalog, service, name, request_, part):
    assert part in violation(catalog.service(service).operation(name), request_)


def test_large_items_of_dynamodb_are_not_walked(catalog):
    made = catalog.service("dynamodb").operation("PutItem")
    check(made, {"TableName": "t" * 3, "Item": {"x" * 70_000: {"S": "y"}}})


def test_s3_says_that_a_body_is_missing_or_lacks_what_its_schema_asks_for(tmp_path):
    """https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""
    found = Catalog(tmp_path).service("s3").operation("PutBucketTagging")
    check(found, {"Bucket": "b", "Tagging": {"TagSet": [{"Key": "a", "Value": ""}]}})
    with pytest.raises(AwsError, match="Request Body is empty") as caught:
        check(found, {"Bucket": "b"})
    assert caught.value.code == "MissingRequestBodyError"
    for tagging in ({}, {"TagSet": [{"Key": "a"}]}):
        with pytest.raises(MalformedRequest, match="did not validate against our published"):
            check(found, {"Bucket": "b", "Tagging": tagging})
