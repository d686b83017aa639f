"""What is wrong with expressions, in AWS's words.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
"""

import pytest

from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.expressions.substitutions import Substitutions

VALUES = {
    ":n": {"N": "1"},
    ":m": {"N": "2"},
    ":s": {"S": "a"},
    ":b": {"BOOL": True},
    ":l": {"L": []},
    ":z": {"SS": ["a"]},
}


def said(kind, parameter, text, names=None):
    request = {parameter: text, "ExpressionAttributeValues": VALUES}
    if names is not None:
        request["ExpressionAttributeNames"] = names
    with pytest.raises(ValidationException) as caught:
        getattr(Substitutions(request, (parameter,)), kind)(parameter, text)
    assert caught.value.message.startswith(f"Invalid {parameter}: ")
    return caught.value.message.removeprefix(f"Invalid {parameter}: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The expression can not be empty;"),
        ("a", 'Syntax error; token: "<EOF>", near: "a"'),
        ("a == b", 'Syntax error; token: "=", near: "== b"'),
        ("a = ", 'Syntax error; token: "<EOF>", near: "="'),
        ("a = b AND c", 'Syntax error; token: "<EOF>", near: "c"'),
        ("a = 1", 'Syntax error; token: "1", near: "= 1"'),
        ("abort = b", "Attribute name is a reserved keyword; reserved keyword: abort"),
        ("((a = b))", "The expression has redundant parentheses;"),
        ("nope(a)", "Invalid function name; function: nope"),
        (
            "size(a)",
            "The function is not allowed to be used this way in an expression; function: size",
        ),
        (
            "attribute_exists(a) = b",
            "The function is not allowed to be used this way in an expression; "
            "function: attribute_exists",
        ),
        (
            "attribute_exists(a, b)",
            "Incorrect number of operands for operator or function; operator or function: "
            "attribute_exists, number of operands: 2",
        ),
        (
            "attribute_exists(:n)",
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        (
            "a = a",
            "The first operand must be distinct from the remaining operands for this operator or "
            "function; operator: =, first operand: [a]",
        ),
        (
            "begins_with(a, :n)",
            "Incorrect operand type for operator or function; operator or function: begins_with, "
            "operand type: N",
        ),
        (
            "a < :b",
            "Incorrect operand type for operator or function; operator: <, operand type: BOOL",
        ),
        (
            "a BETWEEN :m AND :n",
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
            "lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: "
            "{N:1}",
        ),
        (
            "attribute_type(a, :s)",
            "Invalid attribute type name found; type: a, valid types: "
            "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
        ),
        (
            "a = :zz",
            "An expression attribute value used in expression is not defined; attribute value: :zz",
        ),
        (
            "#a = :n",
            "An expression attribute name used in the document path is not defined; "
            "attribute name: #a",
        ),
        (
            "if_not_exists(a, :n) = :n",
            "The function is not allowed in a condition expression; function: if_not_exists",
        ),
    ],
)
def test_a_wrong_condition(text, message):
    assert said("condition", "ConditionExpression", text) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "SET a = :n SET b = :n",
            'The "SET" section can only be used once in an update expression;',
        ),
        ("SET a", 'Syntax error; token: "<EOF>", near: "a"'),
        (
            "SET a = :n, a.b = :n",
            "Two document paths overlap with each other; must remove or rewrite one of these "
            "paths; path one: [a], path two: [a, b]",
        ),
        (
            "SET a.b = :n, a[1] = :n",
            "Two document paths conflict with each other; must remove or rewrite one of these "
            "paths; path one: [a, b], path two: [a, [1]]",
        ),
        (
            "ADD a :s",
            "Incorrect operand type for operator or function; operator: ADD, operand type: STRING",
        ),
        (
            "DELETE a :n",
            "Incorrect operand type for operator or function; operator: DELETE, "
            "operand type: NUMBER",
        ),
        (
            "SET a = b + :s",
            "Incorrect operand type for operator or function; operator or function: +, "
            "operand type: S",
        ),
        (
            "SET a = list_append(:n, b)",
            "Incorrect operand type for operator or function; operator or function: list_append, "
            "operand type: N",
        ),
        ("SET a = nope(:n)", "Invalid function name; function: nope"),
    ],
)
def test_a_wrong_update(text, message):
    assert said("update", "UpdateExpression", text) == message


def test_a_projection_may_not_overlap_itself():
    message = said("projection", "ProjectionExpression", "a.b, a")
    assert message.startswith("Two document paths overlap with each other;")


def test_bounds():
    size = said("condition", "ConditionExpression", "a = b" + " " * 4096)
    assert size == "Expression size has exceeded the maximum allowed size; expression size: 4101"
    many = said("condition", "ConditionExpression", " OR ".join(["a=b"] * 151))
    assert many == "The expression contains too many operators; operator count: 301"
    deep = said("condition", "ConditionExpression", "(" * 2000 + "a=b" + ")" * 2000)
    assert deep == "The expression is nested too deeply;"


def test_unused_placeholders_are_told():
    request = {
        "ConditionExpression": "a = :n",
        "ExpressionAttributeValues": {":n": {"N": "1"}, ":m": {"N": "1"}},
    }
    substitutions = Substitutions(request, ("ConditionExpression",))
    substitutions.condition("ConditionExpression", "a = :n")
    with pytest.raises(ValidationException) as caught:
        substitutions.finish()
    assert caught.value.message == (
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:m}"
    )


def test_placeholders_without_expressions_are_told():
    with pytest.raises(ValidationException) as caught:
        Substitutions({"ExpressionAttributeNames": {"#a": "a"}}, ("ConditionExpression",))
    assert caught.value.message == (
        "ExpressionAttributeNames can only be specified when using expressions"
    )
