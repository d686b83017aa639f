"""How live properties differ from expected ones."""

import pytest

from cumulet.services.cloudformation.planning.differences import differences


@pytest.mark.parametrize(
    ("expected", "actual", "found"),
    [
        ({"a": 1}, {"a": 1, "default": 2}, []),
        ({"a": "1"}, {"a": 1}, []),
        ({"a": True}, {"a": "true"}, []),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, [("/a/b", "1", "2", "NOT_EQUAL")]),
        ({"a": {"b": 1}}, {"a": {}}, [("/a/b", "1", "null", "REMOVE")]),
        ({"a": [1]}, {"a": [1, 2]}, [("/a/1", "null", "2", "ADD")]),
        ({"a": [1, 2]}, {"a": [1]}, [("/a/1", "2", "null", "REMOVE")]),
        ({"a": {"b": 1}}, {"a": "x"}, [("/a", '{"b":1}', "x", "NOT_EQUAL")]),
        (
            {"Tags": [{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "1"}]},
            {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]},
            [],
        ),
    ],
)
def test_differences(expected, actual, found):
    shown = [
        (d["PropertyPath"], d["ExpectedValue"], d["ActualValue"], d["DifferenceType"])
        for d in differences(expected, actual)
    ]
    assert shown == found
