"""Versions and aliases. https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from tests.services.lambda_.conftest import pack, payload_of


def message_of(caught: Any) -> str:
    return str(caught.value.response["Error"]["Message"])


def answer(value: object) -> str:
    return f"def handler(event, context):\n    return {value!r}\n"


def test_a_version_keeps_its_code_and_settings(lam: Any, make: Any) -> None:
    name = make(answer("one"))
    first = lam.publish_version(FunctionName=name, Description="the first")
    assert first["Version"] == "1"
    assert first["Description"] == "the first"
    assert first["FunctionArn"].endswith(f":function:{name}:1")
    lam.update_function_code(FunctionName=name, ZipFile=pack(answer("two")))
    lam.update_function_configuration(FunctionName=name, Timeout=20)
    assert lam.publish_version(FunctionName=name)["Version"] == "2"
    assert payload_of(lam.invoke(FunctionName=name, Qualifier="1")) == "one"
    assert payload_of(lam.invoke(FunctionName=name, Qualifier="2")) == "two"
    assert lam.get_function_configuration(FunctionName=name, Qualifier="1")["Timeout"] == 3
    listed = lam.list_versions_by_function(FunctionName=name)["Versions"]
    assert [each["Version"] for each in listed] == ["$LATEST", "1", "2"]


def test_publishing_unchanged_code_gives_the_last_version(lam: Any, make: Any) -> None:
    name = make()
    assert lam.publish_version(FunctionName=name)["Version"] == "1"
    assert lam.publish_version(FunctionName=name)["Version"] == "1"


def test_publishing_checks_the_digest(lam: Any, make: Any) -> None:
    name = make()
    current = lam.get_function_configuration(FunctionName=name)["CodeSha256"]
    with pytest.raises(lam.exceptions.InvalidParameterValueException) as caught:
        lam.publish_version(FunctionName=name, CodeSha256="other")
    assert "is different from current CodeSHA256 in $LATEST" in message_of(caught)
    assert lam.publish_version(FunctionName=name, CodeSha256=current)["Version"] == "1"


def test_numbers_are_not_given_twice(lam: Any, make: Any) -> None:
    name = make(answer(1), Publish=True)
    lam.delete_function(FunctionName=name, Qualifier="1")
    with pytest.raises(lam.exceptions.ResourceNotFoundException):
        lam.invoke(FunctionName=name, Qualifier="1")
    lam.update_function_code(FunctionName=name, ZipFile=pack(answer(2)), Publish=True)
    listed = lam.list_versions_by_function(FunctionName=name)["Versions"]
    assert [each["Version"] for each in listed] == ["$LATEST", "2"]


def test_an_alias_points_and_moves(lam: Any, make: Any) -> None:
    name = make(answer(1), Publish=True)
    lam.update_function_code(FunctionName=name, ZipFile=pack(answer(2)), Publish=True)
    made = lam.create_alias(FunctionName=name, Name="live", FunctionVersion="1", Description="d")
    assert made["AliasArn"].endswith(f":function:{name}:live")
    assert payload_of(lam.invoke(FunctionName=name, Qualifier="live")) == 1
    moved = lam.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    assert moved["Description"] == "d"
    assert moved["RevisionId"] != made["RevisionId"]
    got = lam.invoke(FunctionName=f"{name}:live")
    assert got["ExecutedVersion"] == "2"
    assert payload_of(got) == 2
    assert lam.get_alias(FunctionName=name, Name="live")["FunctionVersion"] == "2"
    assert [each["Name"] for each in lam.list_aliases(FunctionName=name)["Aliases"]] == ["live"]
    listed = lam.list_aliases(FunctionName=name, FunctionVersion="1")["Aliases"]
    assert listed == []
    lam.delete_alias(FunctionName=name, Name="live")
    with pytest.raises(lam.exceptions.ResourceNotFoundException) as caught:
        lam.get_alias(FunctionName=name, Name="live")
    assert message_of(caught).startswith("Cannot find alias arn: ")


def test_an_alias_shares_its_calls_by_weight(lam: Any, make: Any) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
    name = make(answer(1), Publish=True)
    lam.update_function_code(FunctionName=name, ZipFile=pack(answer(2)), Publish=True)
    lam.create_alias(
        FunctionName=name,
        Name="split",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
    )
    seen = Counter(
        lam.invoke(FunctionName=name, Qualifier="split")["ExecutedVersion"] for _ in range(60)
    )
    assert set(seen) == {"1", "2"}
    lam.update_alias(
        FunctionName=name, Name="split", RoutingConfig={"AdditionalVersionWeights": {}}
    )
    assert "RoutingConfig" not in lam.get_alias(FunctionName=name, Name="split")
    assert {
        lam.invoke(FunctionName=name, Qualifier="split")["ExecutedVersion"] for _ in range(20)
    } == {"1"}


def test_aliases_that_cannot_be_are_refused(lam: Any, make: Any) -> None:
    name = make(Publish=True)
    lam.create_alias(FunctionName=name, Name="taken", FunctionVersion="1")
    with pytest.raises(lam.exceptions.ResourceConflictException) as caught:
        lam.create_alias(FunctionName=name, Name="taken", FunctionVersion="1")
    assert message_of(caught).startswith("Alias already exists: arn:")
    with pytest.raises(lam.exceptions.ResourceNotFoundException) as caught:
        lam.create_alias(FunctionName=name, Name="x", FunctionVersion="9")
    assert message_of(caught).endswith(f":function:{name}:9")
    for label, weights in (("1", {"1": 0.5}), ("$LATEST", {"1": 0.5}), ("1", {"1": 0.1, "2": 0.1})):
        with pytest.raises(lam.exceptions.InvalidParameterValueException):
            lam.create_alias(
                FunctionName=name,
                Name="x",
                FunctionVersion=label,
                RoutingConfig={"AdditionalVersionWeights": weights},
            )


def test_a_version_that_an_alias_uses_stays(lam: Any, make: Any) -> None:
    name = make(Publish=True)
    lam.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    with pytest.raises(lam.exceptions.ResourceConflictException):
        lam.delete_function(FunctionName=name, Qualifier="1")
    with pytest.raises(lam.exceptions.InvalidParameterValueException):
        lam.delete_function(FunctionName=name, Qualifier="$LATEST")


def test_an_old_revision_of_an_alias_is_refused(lam: Any, make: Any) -> None:
    name = make(Publish=True)
    made = lam.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    lam.update_alias(FunctionName=name, Name="live", Description="x")
    with pytest.raises(lam.exceptions.PreconditionFailedException):
        lam.update_alias(FunctionName=name, Name="live", RevisionId=made["RevisionId"])
