"""What "public" means of a bucket policy.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

import json

import pytest

from cumulet.services.s3.rules.public_access import is_public


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(principal="*", effect="Allow", **condition):
    made = {"Effect": effect, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
    made["Principal"] = principal
    if condition:
        made["Condition"] = {test.replace("_", ":"): keys for test, keys in condition.items()}
    return made


ACCOUNT = {"AWS": "arn:aws:iam::111111111111:root"}


@pytest.mark.parametrize(
    "one",
    [
        statement(),
        statement({"AWS": "*"}),
        statement({"AWS": ["111111111111", "*"]}),
        statement(StringEquals={"aws:UserAgent": "x"}),
        statement(StringNotEquals={"aws:SourceVpc": "vpc-1"}),
        statement(StringEqualsIfExists={"aws:SourceVpc": "vpc-1"}),
        statement(StringLike={"aws:SourceVpc": "vpc-*"}),
        statement(StringEquals={"aws:PrincipalArn": "*"}),
        statement(ArnLike={"aws:SourceArn": "arn:aws:s3:::*"}),
        statement(IpAddress={"aws:SourceIp": "0.0.0.0/0"}),
        statement(IpAddress={"aws:SourceIp": ["10.0.0.0/8", "0.0.0.0/7"]}),
        statement(IpAddress={"aws:SourceIp": "::/0"}),
        statement(StringEquals={"aws:PrincipalAccount": "${aws:PrincipalAccount}"}),
        {"Effect": "Allow", "NotPrincipal": ACCOUNT, "Action": "s3:*", "Resource": "*"},
    ],
)
def test_public(one):
    assert is_public(policy(one))
    assert is_public(policy(statement(ACCOUNT), one))
    assert is_public(json.dumps({"Statement": one}))


@pytest.mark.parametrize(
    "one",
    [
        statement(ACCOUNT),
        statement({"Service": "cloudfront.amazonaws.com"}),
        statement(effect="Deny"),
        statement(StringEquals={"aws:SourceVpc": "vpc-1"}),
        statement(StringEquals={"AWS:PrincipalOrgID": ["o-1", "o-2"]}),
        statement(IpAddress={"aws:SourceIp": "203.0.113.0/24"}),
        statement(ArnLike={"aws:PrincipalArn": "arn:aws:iam::111111111111:role/*"}),
    ],
)
def test_not_public(one):
    assert not is_public(policy(one))
