"""What updates do to items.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
"""

import copy

import pytest

from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.expressions.projection import project
from cumulet.services.dynamodb.expressions.substitutions import Substitutions

OLD = {
    "p": {"S": "key"},
    "n": {"N": "5"},
    "l": {"L": [{"N": "0"}, {"N": "1"}, {"N": "2"}]},
    "m": {"M": {"x1": {"S": "a"}, "l1": {"L": [{"S": "z"}]}}},
    "s": {"SS": ["a", "b"]},
}
VALUES = {":n": {"N": "1"}, ":s": {"SS": ["b", "c"]}, ":l": {"L": [{"S": "q"}]}, ":t": {"S": "t"}}


def update(text, old=OLD, names=None):
    used = {name: value for name, value in VALUES.items() if name in text}
    request = {"UpdateExpression": text, "ExpressionAttributeNames": names}
    request["ExpressionAttributeValues"] = used or None
    substitutions = Substitutions(request, ("UpdateExpression",))
    compiled = substitutions.update("UpdateExpression", text)
    before = copy.deepcopy(old)
    new = compiled.update.apply(old or {}, {"p": {"S": "key"}}, used)
    assert old == before, "what was read is left as it was"
    return new


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("SET n = n + :n", "n", {"N": "6"}),
        ("SET n = n - :n", "n", {"N": "4"}),
        ("SET q = if_not_exists(q, :n)", "q", {"N": "1"}),
        ("SET q = if_not_exists(n, :n)", "q", {"N": "5"}),
        ("SET l[1] = :t", "l", {"L": [{"N": "0"}, {"S": "t"}, {"N": "2"}]}),
        ("SET l[9] = :t", "l", {"L": [*OLD["l"]["L"], {"S": "t"}]}),
        ("SET l = list_append(l, :l)", "l", {"L": [*OLD["l"]["L"], {"S": "q"}]}),
        ("SET l = list_append(:l, l)", "l", {"L": [{"S": "q"}, *OLD["l"]["L"]]}),
        ("REMOVE l[0], l[2]", "l", {"L": [{"N": "1"}]}),
        ("REMOVE l[7]", "l", OLD["l"]),
        ("SET m.y1 = m.x1", "m", {"M": {**OLD["m"]["M"], "y1": {"S": "a"}}}),
        ("REMOVE m.x1", "m", {"M": {"l1": {"L": [{"S": "z"}]}}}),
        ("SET m.l1[0] = n", "m", {"M": {"x1": {"S": "a"}, "l1": {"L": [{"N": "5"}]}}}),
        ("ADD n :n", "n", {"N": "6"}),
        ("ADD q :n", "q", {"N": "1"}),
        ("ADD s :s", "s", {"SS": ["a", "b", "c"]}),
        ("DELETE s :s", "s", {"SS": ["a"]}),
        ("REMOVE n", "n", None),
    ],
)
def test_one_action(text, name, value):
    new = update(text)
    assert new.get(name) == value
    assert {key: kept for key, kept in new.items() if key != name} == {
        key: kept for key, kept in OLD.items() if key != name
    }


def test_a_set_without_members_goes():
    assert "s" not in update("DELETE s :s", {"p": {"S": "key"}, "s": {"SS": ["b"]}})


def test_values_are_those_from_before():
    new = update("SET n = :n, q = n")
    assert (new["n"], new["q"]) == ({"N": "1"}, {"N": "5"})


def test_a_new_item_begins_as_its_key():
    assert update("SET q = :n", {}) == {"p": {"S": "key"}, "q": {"N": "1"}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SET q = zz", "The provided expression refers to an attribute that does not exist in"),
        ("SET zz.y1 = :n", "The document path provided in the update expression is invalid for"),
        ("SET n.y1 = :n", "The document path provided in the update expression is invalid for"),
        ("SET n[0] = :n", "The document path provided in the update expression is invalid for"),
        ("SET q = s + :n", "An operand in the update expression has an incorrect data type"),
        ("ADD l :n", "An operand in the update expression has an incorrect data type"),
        ("DELETE n :s", "An operand in the update expression has an incorrect data type"),
    ],
)
def test_an_update_that_does_not_fit_the_item(text, said):
    with pytest.raises(ValidationException) as caught:
        update(text)
    assert caught.value.message.startswith(said)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("n", {"n": {"N": "5"}}),
        ("zz", {}),
        ("l[2], l[0]", {"l": {"L": [{"N": "0"}, {"N": "2"}]}}),
        ("m.l1[0]", {"m": {"M": {"l1": {"L": [{"S": "z"}]}}}}),
        ("m.zz", {}),
        ("m.x1, n", {"m": {"M": {"x1": {"S": "a"}}}, "n": {"N": "5"}}),
    ],
)
def test_a_projection_keeps_the_shape(text, shown):
    request = {"ProjectionExpression": text}
    substitutions = Substitutions(request, ("ProjectionExpression",))
    compiled = substitutions.projection("ProjectionExpression", text)
    assert project(OLD, compiled.branches) == shown
