"""Stack policies.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html
"""

import json

import pytest

from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.planning.stack_policy import parse_policy, require_allowed


def statement(effect="Allow", action="Update:*", resource="*", **more):
    return {"Effect": effect, "Action": action, "Principal": "*", "Resource": resource, **more}


def allowed(*statements, action="Update:Modify", logical_id="Db", type_name="AWS::S3::Bucket"):
    try:
        require_allowed(json.dumps({"Statement": statements}), action, logical_id, type_name)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("statements", "outcome"),
    [
        ([statement()], True),
        ([], False),
        ([statement(action="Update:Replace")], False),
        ([statement(action=["Update:Mod*"])], True),
        ([statement(), statement("Deny", resource="LogicalResourceId/Db")], False),
        ([statement(), statement("Deny", resource="LogicalResourceId/D*")], False),
        ([statement(), statement("Deny", resource="LogicalResourceId/Other")], True),
        (
            [
                statement(),
                statement(
                    "Deny", Condition={"StringEquals": {"ResourceType": ["AWS::S3::Bucket"]}}
                ),
            ],
            False,
        ),
        (
            [
                statement(),
                statement("Deny", Condition={"StringLike": {"ResourceType": "AWS::SQS::*"}}),
            ],
            True,
        ),
    ],
)
def test_a_policy_allows_what_it_says(statements, outcome):
    assert allowed(*statements) is outcome


def test_not_action_and_not_resource_turn_a_statement_round():
    inverted = {"Effect": "Allow", "NotAction": "Update:Delete", "Principal": "*", "Resource": "*"}
    assert allowed(inverted)
    assert not allowed(inverted, action="Update:Delete")
    spared = {
        "Effect": "Deny",
        "Action": "Update:*",
        "Principal": "*",
        "NotResource": "LogicalResourceId/Db",
    }
    assert allowed(statement(), spared)
    assert not allowed(statement(), spared, logical_id="Other")


def test_no_policy_allows_everything():
    require_allowed("", "Update:Delete", "A", "T")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        json.dumps({"Statement": [{}]}),
        json.dumps({"Statement": [statement("Maybe")]}),
        json.dumps({"Statement": [statement(Colour=1)]}),
        json.dumps({"Statement": [{**statement(), "Principal": "me"}]}),
    ],
)
def test_what_is_no_policy_is_refused(text):
    with pytest.raises(ValidationError, match="Invalid stack policy"):
        parse_policy(text)


def test_many_stars_are_matched_at_once():
    # With backtracking this would take longer than anybody waits.
    stars = "LogicalResourceId/" + "*a" * 1_000 + "*b"
    assert allowed(statement(), statement("Deny", resource=stars), logical_id="a" * 5_000)
