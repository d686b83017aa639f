"""Layers. https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html"""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest
from tests.services.lambda_.conftest import pack, payload_of, unique


def layer_zip(value: object, module: str = "shared") -> bytes:
    return pack(f"VALUE = {value!r}\n", f"python/{module}.py")


USES_LAYER = "import shared\ndef handler(event, context):\n    return shared.VALUE\n"


def publish(lam: Any, name: str, value: object, **more: Any) -> Any:
    return lam.publish_layer_version(LayerName=name, Content={"ZipFile": layer_zip(value)}, **more)


def test_a_function_imports_from_its_layer(lam: Any, make: Any) -> None:
    name = unique("layer")
    made = publish(lam, name, 41, CompatibleRuntimes=["python3.11"], Description="d")
    assert made["Version"] == 1
    assert made["LayerVersionArn"] == f"{made['LayerArn']}:1"
    function = make(USES_LAYER, Layers=[made["LayerVersionArn"]])
    assert payload_of(lam.invoke(FunctionName=function)) == 41
    described = lam.get_function(FunctionName=function)["Configuration"]["Layers"]
    assert described == [{"Arn": made["LayerVersionArn"], "CodeSize": made["Content"]["CodeSize"]}]


def test_versions_count_up_and_are_listed_newest_first(lam: Any) -> None:
    name = unique("layer")
    for value in (1, 2, 3):
        publish(lam, name, value)
    listed = lam.list_layer_versions(LayerName=name)["LayerVersions"]
    assert [each["Version"] for each in listed] == [3, 2, 1]
    lam.delete_layer_version(LayerName=name, VersionNumber=3)
    assert publish(lam, name, 4)["Version"] == 4
    layers = {
        each["LayerName"]: each
        for page in lam.get_paginator("list_layers").paginate()
        for each in page["Layers"]
    }
    assert layers[name]["LatestMatchingVersion"]["Version"] == 4
    with pytest.raises(lam.exceptions.ResourceNotFoundException):
        lam.get_layer_version(LayerName=name, VersionNumber=3)


def test_lists_keep_what_suits(lam: Any) -> None:
    name = unique("layer")
    publish(lam, name, 1, CompatibleRuntimes=["python3.11"])
    publish(lam, name, 2, CompatibleRuntimes=["nodejs22.x"])
    listed = lam.list_layer_versions(LayerName=name, CompatibleRuntime="python3.11")
    assert [each["Version"] for each in listed["LayerVersions"]] == [1]


def test_the_content_can_be_fetched(lam: Any) -> None:
    name = unique("layer")
    publish(lam, name, 1)
    by_number = lam.get_layer_version(LayerName=name, VersionNumber=1)
    by_arn = lam.get_layer_version_by_arn(Arn=by_number["LayerVersionArn"])
    assert by_arn["Content"]["CodeSha256"] == by_number["Content"]["CodeSha256"]
    with urllib.request.urlopen(by_arn["Content"]["Location"], timeout=10) as answer:
        assert answer.read() == layer_zip(1)


def test_a_function_keeps_a_layer_that_was_deleted(lam: Any, make: Any) -> None:
    name = unique("layer")
    made = publish(lam, name, 7)
    function = make(USES_LAYER, Layers=[made["LayerVersionArn"]])
    lam.delete_layer_version(LayerName=name, VersionNumber=1)
    lam.update_function_configuration(FunctionName=function, Timeout=5)
    assert payload_of(lam.invoke(FunctionName=function)) == 7


def test_later_layers_lie_over_earlier_ones(lam: Any, make: Any) -> None:
    first, second = unique("layer"), unique("layer")
    arns = [publish(lam, first, 1)["LayerVersionArn"], publish(lam, second, 2)["LayerVersionArn"]]
    assert payload_of(lam.invoke(FunctionName=make(USES_LAYER, Layers=arns))) == 2
    arns.reverse()
    assert payload_of(lam.invoke(FunctionName=make(USES_LAYER, Layers=arns))) == 1


def test_at_most_five_and_one_version_of_each(lam: Any, make: Any) -> None:
    name = unique("layer")
    arns = [publish(lam, name, 1)["LayerVersionArn"], publish(lam, name, 2)["LayerVersionArn"]]
    with pytest.raises(lam.exceptions.InvalidParameterValueException) as caught:
        make(USES_LAYER, Layers=arns)
    assert "Two different versions of the same layer" in str(caught.value)
    others = [publish(lam, unique("layer"), 1)["LayerVersionArn"] for _ in range(6)]
    with pytest.raises(lam.exceptions.InvalidParameterValueException) as caught:
        make(USES_LAYER, Layers=others)
    assert "Cannot reference more than 5 layers." in str(caught.value)


def test_a_layers_policy(lam: Any) -> None:
    name = unique("layer")
    made = publish(lam, name, 1)
    with pytest.raises(lam.exceptions.ResourceNotFoundException):
        lam.get_layer_version_policy(LayerName=name, VersionNumber=1)
    added = lam.add_layer_version_permission(
        LayerName=name,
        VersionNumber=1,
        StatementId="all",
        Action="lambda:GetLayerVersion",
        Principal="*",
    )
    statement = json.loads(added["Statement"])
    assert statement["Principal"] == "*"
    assert statement["Resource"] == made["LayerVersionArn"]
    policy = lam.get_layer_version_policy(LayerName=name, VersionNumber=1)
    assert json.loads(policy["Policy"])["Statement"] == [statement]
    with pytest.raises(lam.exceptions.ResourceConflictException):
        lam.add_layer_version_permission(
            LayerName=name,
            VersionNumber=1,
            StatementId="all",
            Action="lambda:GetLayerVersion",
            Principal="*",
        )
    lam.remove_layer_version_permission(LayerName=name, VersionNumber=1, StatementId="all")
    with pytest.raises(lam.exceptions.ResourceNotFoundException):
        lam.get_layer_version_policy(LayerName=name, VersionNumber=1)
