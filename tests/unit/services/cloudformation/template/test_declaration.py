"""The form of a template, its names, conditions, rules and capabilities, in AWS's words."""

import re

import pytest

from cumulet.services.cloudformation.errors import (
    InsufficientCapabilitiesException,
    ValidationError,
)
from cumulet.services.cloudformation.template.capabilities import (
    needed_capabilities,
    require_capabilities,
)
from cumulet.services.cloudformation.template.conditions import evaluate_conditions
from cumulet.services.cloudformation.template.declaration import declare
from cumulet.services.cloudformation.template.references import (
    dependencies,
    imported_names,
    references,
    validate_names,
)
from cumulet.services.cloudformation.template.rules import check_rules
from cumulet.services.cloudformation.template.scene import Scene


def resources(**members):
    return {"Resources": {"A": {"Type": "T", **members}}}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({}, "Template format error: At least one Resources member must be defined."),
        ({"Nonsense": 1, **resources()}, "Invalid template property or properties [Nonsense]"),
        ({"Resources": {"A": {}}}, "[/Resources/A] Every Resources object must contain a Type"),
        ({"Resources": {"A-b": {"Type": "T"}}}, "Resource name A-b is non alphanumeric."),
        ({"Resources": []}, "Resources must be an object."),
        (resources(Propertys={}), "Invalid template resource property 'Propertys'"),
        (resources(Properties=[]), "/Properties must be an object."),
        (resources(DependsOn=[1]), "/DependsOn must be a string or a list of strings."),
        (resources(DeletionPolicy="Keep"), "Unrecognized DeletionPolicy Keep for resource A."),
        (resources(DeletionPolicy="Snapshot"), "Snapshot is not supported for T."),
        (resources(UpdateReplacePolicy="RetainExceptOnCreate"), "Unrecognized UpdateReplacePolicy"),
        (resources(CreationPolicy={}), "CreationPolicy is not supported for T."),
        (resources(UpdatePolicy={}), "UpdatePolicy is not supported for T"),
        ({**resources(), "Hooks": {"x": {}}}, "Hooks are not supported"),
        ({**resources(), "Outputs": {"O": {}}}, "must contain a Value object"),
        ({**resources(), "Outputs": {"O": {"Value": 1, "Export": "x"}}}, "/Export must be an"),
        ({**resources(), "Mappings": {"M": {"a": "b"}}}, "must be a map of maps."),
        ({**resources(), "Description": "x" * 1025}, "Description length exceeds"),
        (
            {"Resources": {f"R{n}": {"Type": "T"} for n in range(501)}},
            "Number of resources, 501, is greater than maximum allowed, 500",
        ),
    ],
)
def test_a_template_of_a_wrong_form_is_refused(raw, words):
    with pytest.raises(ValidationError, match=re.escape(words)):
        declare(raw)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (resources(Properties={"x": {"Ref": "B"}}), "[B] in the Resources block"),
        (resources(Properties={"x": {"Fn::Sub": "${B}"}}), "[B] in the Resources block"),
        (resources(DependsOn="B"), "[B] in the Resources block"),
        (resources(Properties={"x": {"Fn::GetAtt": ["B", "Arn"]}}), "undefined resource B"),
        (resources(Condition="C"), "Unresolved condition dependency C"),
        ({**resources(), "Outputs": {"O": {"Value": {"Ref": "B"}}}}, "[B] in the Outputs block"),
    ],
)
def test_a_name_that_leads_nowhere_is_refused(raw, words):
    with pytest.raises(ValidationError, match=re.escape(words)):
        validate_names(declare(raw))


def test_references_follow_the_branch_that_holds():
    node = {
        "a": {"Fn::If": ["C", {"Ref": "X"}, {"Fn::Sub": ["${Y}${own}", {"own": {"Ref": "Z"}}]}]},
        "b": {"Fn::Sub": "${V.Arn}${!W}"},
    }
    assert references(node) == {"X", "Y", "Z", "V"}
    assert references(node, {"C": True}) == {"X", "V"}
    assert references(node, {"C": False}) == {"Y", "Z", "V"}
    template = declare(
        {
            "Resources": {
                "A": {"Type": "T", "Properties": node, "DependsOn": "B"},
                "B": {"Type": "T"},
                "X": {"Type": "T"},
            }
        }
    )
    active = frozenset(template.resources)
    assert dependencies(template.resources["A"], active, {"C": True}) == {"B", "X"}


def test_imports_are_found_wherever_they_are():
    node = [
        {"Fn::Join": ["", [{"Fn::ImportValue": "a"}]]},
        {"x": {"Fn::ImportValue": {"Ref": "P"}}},
    ]
    assert {str(one) for one in imported_names(node)} == {"a", "{'Ref': 'P'}"}


SCENE = Scene(values={"Env": "prod", "Sizes": ["s", "m"], "AWS::Region": "eu-west-1"})


def test_conditions_build_on_one_another():
    declared = {
        "Both": {"Fn::And": [{"Condition": "Prod"}, {"Fn::Not": [{"Condition": "Us"}]}]},
        "Prod": {"Fn::Equals": [{"Ref": "Env"}, "prod"]},
        "Us": {
            "Fn::Equals": [{"Fn::Select": [0, {"Fn::Split": ["-", {"Ref": "AWS::Region"}]}]}, "us"]
        },
        "Either": {"Fn::Or": [{"Condition": "Us"}, {"Fn::Equals": ["1", 1]}]},
    }
    assert evaluate_conditions(declared, SCENE) == {
        "Both": True,
        "Prod": True,
        "Us": False,
        "Either": True,
    }


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"A": {"Condition": "B"}, "B": {"Condition": "A"}}, "Circular dependency"),
        ({"A": {"Condition": "Z"}}, "Unresolved condition dependency Z in A"),
        ({"A": {"Fn::Equals": ["a"]}}, "every Fn::Equals object requires a list of 2"),
        ({"A": {"Fn::And": [{"Fn::Equals": ["a", "a"]}]}}, "at least 2 and at most 10"),
        ({"A": {"Fn::Not": []}}, "every Fn::Not object requires one boolean parameter."),
        ({"A": "maybe"}, "must be a condition"),
        (
            {"A": {"Fn::Equals": [{"Ref": "Thing"}, "a"]}},
            "Unresolved resource dependencies [Thing]",
        ),
    ],
)
def test_a_wrong_condition_is_refused(declared, words):
    with pytest.raises(ValidationError, match=re.escape(words)):
        evaluate_conditions(declared, SCENE)


def ruled(**rule):
    return declare(
        {
            **resources(),
            "Parameters": {
                "Env": {"Type": "String"},
                "Sizes": {"Type": "CommaDelimitedList"},
            },
            "Rules": {"R": rule},
        }
    )


@pytest.mark.parametrize(
    ("assertion", "holds"),
    [
        ({"Fn::Contains": [["prod", "test"], {"Ref": "Env"}]}, True),
        ({"Fn::Not": [{"Fn::Contains": [["1", "2"], {"Ref": "Env"}]}]}, True),
        ({"Fn::Equals": [{"Ref": "Env"}, "test"]}, False),
        ({"Fn::EachMemberIn": [{"Ref": "Sizes"}, ["s", "m", "l"]]}, True),
        ({"Fn::EachMemberIn": [{"Ref": "Sizes"}, ["s"]]}, False),
        ({"Fn::EachMemberEquals": [{"Ref": "Sizes"}, "s"]}, False),
        ({"Fn::EachMemberIn": [{"Fn::RefAll": "CommaDelimitedList"}, ["s", "m"]]}, True),
        ({"Fn::And": [{"Fn::Equals": ["a", "a"]}, {"Fn::Equals": ["a", "b"]}]}, False),
        ({"Fn::Or": [{"Fn::Equals": ["a", "a"]}, {"Fn::Equals": ["a", "b"]}]}, True),
    ],
)
def test_rules_hold_or_say_why_not(assertion, holds):
    template = ruled(Assertions=[{"Assert": assertion, "AssertDescription": "as described"}])
    if holds:
        check_rules(template, SCENE)
        return
    with pytest.raises(ValidationError, match="as described"):
        check_rules(template, SCENE)


def test_a_rule_whose_condition_does_not_hold_asserts_nothing():
    never = {"Fn::Equals": [{"Ref": "Env"}, "test"]}
    check_rules(ruled(RuleCondition=never, Assertions=[{"Assert": never}]), SCENE)


def test_the_rule_of_cdk_templates_holds_for_a_current_bootstrap():
    old = [["1", "2", "3", "4", "5"], {"Ref": "Env"}]
    template = ruled(
        Assertions=[
            {
                "Assert": {"Fn::Not": [{"Fn::Contains": old}]},
                "AssertDescription": "CDK bootstrap stack version 6 required.",
            }
        ]
    )
    check_rules(template, Scene(values={"Env": "33"}))
    with pytest.raises(ValidationError, match="CDK bootstrap stack version 6 required"):
        check_rules(template, Scene(values={"Env": "5"}))


def test_capabilities_follow_types_and_names():
    role = declare({"Resources": {"R": {"Type": "AWS::IAM::Role"}}}).resources
    named = declare(
        {"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r"}}}}
    ).resources
    assert needed_capabilities(role)[0] == ["CAPABILITY_IAM"]
    assert needed_capabilities(named) == (
        ["CAPABILITY_NAMED_IAM"],
        "The following resource(s) require capabilities: [AWS::IAM::Role]",
    )
    require_capabilities(role, ["CAPABILITY_NAMED_IAM"], expands=False)
    for held, expands, words in (
        ([], False, "[CAPABILITY_NAMED_IAM]"),
        (["CAPABILITY_IAM"], True, "[CAPABILITY_NAMED_IAM, CAPABILITY_AUTO_EXPAND]"),
    ):
        with pytest.raises(
            InsufficientCapabilitiesException, match=re.escape(f"Requires capabilities : {words}")
        ):
            require_capabilities(named, held, expands=expands)
