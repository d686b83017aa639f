"""Documents that AWS refuses, and in which words.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import json
from typing import Any

import pytest

from cumulet.kit.policy import MalformedPolicy, PolicyKind, check_document, parse_policy

GOOD = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
TRUST = {
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
SYNTAX = "Syntax errors in policy."
VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."


def text(*statements: Any, **rest: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **rest})


def refusal(document: str, kind: PolicyKind) -> str:
    with pytest.raises(MalformedPolicy) as caught:
        check_document(document, kind)
    return str(caught.value)


@pytest.mark.parametrize(
    "document",
    [
        text(GOOD),
        text(GOOD, Id="x"),
        json.dumps({"Version": "2012-10-17", "Statement": GOOD}),
        text({**GOOD, "Sid": "One"}, {**GOOD, "Sid": "Two"}),
        text({"Effect": "Deny", "NotAction": ["iam:*"], "NotResource": "*"}),
        text({**GOOD, "Resource": ["arn:aws:s3:::${aws:username}", "arn:aws:s3:::*"]}),
        text({**GOOD, "Resource": "arn:aws:dynamodb:*"}),
        text({**GOOD, "Condition": {"Bool": {"aws:SecureTransport": True}}}),
    ],
)
def test_good_documents_are_taken(document: str) -> None:
    check_document(document, "managed")
    check_document(document, "inline")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("not json", SYNTAX),
        ("[]", SYNTAX),
        ("{}", SYNTAX),
        (text(), SYNTAX),
        (text("a"), SYNTAX),
        (text(GOOD, Extra=1), SYNTAX),
        (text({**GOOD, "Extra": 1}), SYNTAX),
        (text({**GOOD, "Effect": "allow"}), SYNTAX),
        (text({**GOOD, "NotAction": "s3:*"}), SYNTAX),
        (text({**GOOD, "Action": []}), SYNTAX),
        (text(GOOD, Version="2020-01-01"), SYNTAX),
        ('{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": []}', SYNTAX),
        (
            json.dumps({"Statement": GOOD}),
            "Policy document must be version 2012-10-17 or greater.",
        ),
        (text({"Effect": "Allow", "Resource": "*"}), "Policy statement must contain actions."),
        (text({"Effect": "Allow", "Action": "s3:*"}), "Policy statement must contain resources."),
        (text({**GOOD, "Action": "GetObject"}), VENDOR),
        (text({**GOOD, "Action": "s3:"}), VENDOR),
        (text({**GOOD, "Action": "a:b:c"}), "Actions/Condition can contain only one colon."),
        (text({**GOOD, "Action": "s 3:Get"}), "Vendor s 3 is not valid"),
        (text({**GOOD, "Condition": {"Bool": {"secure": "true"}}}), VENDOR),
        (text({**GOOD, "Resource": "bucket"}), 'Resource bucket must be in ARN format or "*".'),
        (
            text({**GOOD, "Resource": "arn:asw:s3:::b"}),
            'Partition "asw" is not valid for resource "arn:asw:s3:::b".',
        ),
        (
            text({**GOOD, "Resource": "arn:aws:iam:us-east-1:111122223333:user/b"}),
            "IAM resource arn:aws:iam:us-east-1:111122223333:user/b cannot contain region "
            "information.",
        ),
        (
            text({**GOOD, "Principal": "*"}),
            "Policy document should not specify a principal.",
        ),
        (
            text({**GOOD, "Sid": "A"}, {**GOOD, "Sid": "A"}),
            "Statement IDs (SID) in a single policy must be unique.",
        ),
        (
            text({**GOOD, "Sid": "a b"}),
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the "
            "regular expression [0-9A-Za-z]*",
        ),
    ],
)
def test_bad_identity_policies(document: str, message: str) -> None:
    assert refusal(document, "managed") == message


def test_inline_policies_may_be_of_the_older_version() -> None:
    check_document(json.dumps({"Statement": GOOD}), "inline")
    check_document(text(GOOD, Version="2008-10-17"), "inline")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("not json", "This policy contains invalid Json"),
        (text({**TRUST, "Resource": "*"}), "Has prohibited field Resource"),
        (text({"Effect": "Allow", "Action": "sts:AssumeRole"}), "Missing required field Principal"),
        (
            text({**TRUST, "Action": "s3:GetObject"}),
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (
            text({**TRUST, "Principal": {"AWS": "bob@example"}}),
            'Invalid principal in policy: "AWS":"bob@example"',
        ),
        (
            text({**TRUST, "Principal": {"AWS": "arn:aws:iam::111122223333:user/*"}}),
            'Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:user/*"',
        ),
        (text({**TRUST, "Principal": {"Robot": "x"}}), 'Invalid principal in policy: "Robot"'),
        (text({**TRUST, "Principal": "bob"}), "Invalid principal in policy."),
    ],
)
def test_bad_trust_policies(document: str, message: str) -> None:
    assert refusal(document, "trust") == message


def test_trust_policies_name_whom_they_trust() -> None:
    check_document(text(TRUST, {**TRUST, "Principal": {"AWS": "111122223333"}}), "trust")


def test_policies_of_resources_need_a_principal_and_are_freer_in_their_sids() -> None:
    assert refusal(text(GOOD), "resource") == "Missing required field Principal"
    check_document(text({**GOOD, "Principal": "*", "Sid": "any thing"}), "resource")


def test_deep_nesting_is_refused_rather_than_followed() -> None:
    assert refusal("[" * 100_000, "managed") == SYNTAX


def test_older_policies_have_no_variables() -> None:
    document = text({**GOOD, "Resource": "arn:aws:s3:::${aws:username}"}, Version="2008-10-17")
    statement = parse_policy("p", document).statements[0]
    assert statement.keys == frozenset()
