"""Parameters: what is given, kept, defaulted and refused.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

import re

import pytest

from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.template.declaration import declared_parameters
from cumulet.services.cloudformation.template.parameters import (
    check_declarations,
    chosen_values,
    names_ssm_parameter,
    parameter_value,
)


def declared(**members):
    return declared_parameters({"Parameters": {"P": {"Type": "String", **members}}})


def given(value, name="P"):
    return [{"ParameterKey": name, "ParameterValue": value}]


@pytest.mark.parametrize(
    ("members", "text", "value"),
    [
        ({}, "x", "x"),
        ({"Type": "Number"}, "3.5", "3.5"),
        ({"Type": "CommaDelimitedList"}, "a, b ,c", ["a", "b", "c"]),
        ({"Type": "CommaDelimitedList"}, "", []),
        ({"Type": "List<Number>"}, "1,2", ["1", "2"]),
        ({"Type": "AWS::EC2::KeyPair::KeyName"}, "key", "key"),
        ({"Type": "List<AWS::EC2::Subnet::Id>"}, "a,b", ["a", "b"]),
        ({"Type": "AWS::SSM::Parameter::Name"}, "/a/b", "/a/b"),
        ({"Type": "AWS::SSM::Parameter::Value<List<String>>"}, "a,b", ["a", "b"]),
        ({"AllowedPattern": "[a-z]+"}, "abc", "abc"),
        ({"AllowedValues": [1, 2]}, "2", "2"),
    ],
)
def test_a_value_is_what_ref_gives(members, text, value):
    assert parameter_value(declared(**members)["P"], text) == value


@pytest.mark.parametrize(
    ("members", "text", "words"),
    [
        ({"Type": "Number"}, "x", "Parameter 'P' must be a number"),
        ({"Type": "Number", "MinValue": 3}, "2", "must be a number not less than 3"),
        ({"Type": "Number", "MaxValue": 3}, "4", "must be a number not greater than 3"),
        ({"Type": "List<Number>"}, "1,x", "Parameter 'P' must be a number"),
        ({"AllowedValues": ["a"]}, "b", "Parameter 'P' must be one of AllowedValues"),
        ({"MinLength": 3}, "ab", "Parameter 'P' must contain at least 3 characters"),
        ({"MaxLength": "1"}, "ab", "Parameter 'P' must contain at most 1 characters"),
        ({"AllowedPattern": "[a-z]+"}, "abc1", "Parameter 'P' must match pattern [a-z]+"),
        (
            {"AllowedPattern": "[a-z]+", "ConstraintDescription": "letters only"},
            "1",
            "Parameter P failed to satisfy constraint: letters only",
        ),
        ({"Type": "Nonsense"}, "", "Unrecognized parameter type: Nonsense"),
    ],
)
def test_a_broken_constraint_is_named(members, text, words):
    with pytest.raises(ValidationError, match=re.escape(words)):
        parameter_value(declared(**members)["P"], text)


def test_values_are_given_or_kept_or_defaulted():
    one = declared(Default="d")
    assert chosen_values(one, [], {}) == {"P": "d"}
    assert chosen_values(one, [], {"P": "old"}) == {"P": "d"}
    assert chosen_values(one, given("x"), {"P": "old"}) == {"P": "x"}
    kept = [{"ParameterKey": "P", "UsePreviousValue": True}]
    assert chosen_values(one, kept, {"P": "old"}) == {"P": "old"}


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ([], "Parameters: [P] must have values"),
        (given("x") + given("y", "Q"), "Parameters: [Q] do not exist in the template"),
        ([{"ParameterKey": "P", "UsePreviousValue": True}], "not in the previous template"),
        ([{**given("x")[0], "UsePreviousValue": True}], "Cannot specify usePreviousValue"),
        (given("x" * 5000), "is longer than 4096 bytes"),
    ],
)
def test_what_does_not_fit_the_template_is_refused(parameters, words):
    with pytest.raises(ValidationError, match=re.escape(words)):
        chosen_values(declared(), parameters, {})


@pytest.mark.parametrize(
    "members",
    [
        {"Default": "xx", "MaxLength": 1},
        {"AllowedPattern": "("},
        {"Colour": "red"},
        {"MinLength": "x"},
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(members):
    with pytest.raises(ValidationError):
        check_declarations(declared(**members))


def test_types_of_ssm_values_are_recognised():
    assert names_ssm_parameter(declared(Type="AWS::SSM::Parameter::Value<String>")["P"])
    assert not names_ssm_parameter(declared(Type="AWS::SSM::Parameter::Name")["P"])
