"""Templates: parameters, macros, exports, and the operations that show templates."""

import json
from typing import Any

import pytest
from tests.services.cloudformation.stand import Stand, World, template, thing
from tests.services.cloudformation.test_stacks import in_stand

from cumulet.core.errors import AwsError


def exporting(value: Any = "v-1", name: str = "shared") -> dict[str, Any]:
    outputs = {"O": {"Value": value, "Export": {"Name": name}}}
    return template({"A": thing()}, Outputs=outputs)


def importing() -> dict[str, Any]:
    return template({"B": thing(Kind={"Fn::ImportValue": {"Fn::Sub": "shared"}})})


def test_an_export_is_imported_and_cannot_go_while_it_is():
    async def work(stand: Stand, world: World) -> None:
        await stand.create("giver", exporting())
        await stand.create("taker", importing())
        assert [one["props"] for one in world.things.values()][1] == {"Kind": "v-1"}
        exports = (await stand.call("ListExports"))["Exports"]
        assert [(one["Name"], one["Value"]) for one in exports] == [("shared", "v-1")]
        assert (await stand.call("ListImports", ExportName="shared"))["Imports"] == ["taker"]
        stack = await stand.delete("giver")
        assert stack.status == "DELETE_FAILED"
        assert stack.status_reason == ("Export shared cannot be deleted as it is in use by taker")
        await stand.delete("taker")
        with pytest.raises(AwsError, match="Export 'shared' is not imported by any stack"):
            await stand.call("ListImports", ExportName="shared")
        assert (await stand.delete("giver")).status == "DELETE_COMPLETE"

    in_stand(work)


def test_an_export_in_use_cannot_change():
    async def work(stand: Stand, world: World) -> None:
        await stand.create("giver", exporting())
        await stand.create("taker", importing())
        stack = await stand.update("giver", exporting("v-2"))
        assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
        reasons = [r for _, _, r in await stand.events("giver")]
        assert "Export shared cannot be updated as it is in use by taker " in reasons
        assert (await stand.call("ListExports"))["Exports"][0]["Value"] == "v-1"

    in_stand(work)


def test_an_export_has_one_owner_and_an_import_needs_one():
    async def work(stand: Stand, world: World) -> None:
        stack = await stand.create("taker", importing())
        assert stack.status == "ROLLBACK_COMPLETE"
        assert stack.status_reason == ""
        reasons = [r for _, _, r in await stand.events("taker")]
        assert "No export named shared found. Rollback requested by user." in reasons
        assert world.log == []
        await stand.create("giver", exporting())
        other = await stand.create("other", exporting())
        assert other.status == "ROLLBACK_COMPLETE"
        reasons = [r for _, _, r in await stand.events("other")]
        assert any(r.startswith("Export with name shared is already exported") for r in reasons)

    in_stand(work)


def test_values_come_from_the_parameter_store():
    async def work(stand: Stand, world: World) -> None:
        world.parameters = {"/kind": "blue", "/size": "4", "/name:3": "three"}
        wanted = template(
            {
                "A": thing(
                    Kind={"Ref": "Kind"},
                    Size="{{resolve:ssm:/size}}",
                    Name="x-{{resolve:ssm:/name:3}}",
                )
            },
            Parameters={"Kind": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/kind"}},
        )
        await stand.create("s", wanted)
        assert world.things["x-three"]["props"] == {"Kind": "blue", "Size": 4, "Name": "x-three"}
        shown = (await stand.call("DescribeStacks", StackName="s"))["Stacks"][0]["Parameters"]
        assert shown == [
            {"ParameterKey": "Kind", "ParameterValue": "/kind", "ResolvedValue": "blue"}
        ]
        # What a dynamic reference points to is looked up only when the resource changes.
        world.parameters["/size"] = "5"
        with pytest.raises(AwsError, match="No updates are to be performed"):
            await stand.call("UpdateStack", StackName="s", TemplateBody=wanted)

    in_stand(work)


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("{{resolve:ssm:/gone}}", "Unable to fetch parameters [/gone] from parameter store"),
        (
            "{{resolve:ssm-secure:/a}}",
            "SSM Secure reference is not supported in: [AWS::Test::Thing",
        ),
        ("{{resolve:secretsmanager:a}}", "Dynamic references to secretsmanager are not supported"),
    ],
)
def test_a_reference_that_cannot_be_followed_fails_its_resource(reference, words):
    async def work(stand: Stand, world: World) -> None:
        await stand.create("s", template({"A": thing(Kind=reference)}))
        assert any(words in reason for _, _, reason in await stand.events("s"))

    assert in_stand(work).things == {}


def test_snippets_are_included_from_s3():
    async def work(stand: Stand, world: World) -> None:
        world.objects = {
            ("snippets", "size.yaml"): b"Size: 4\nKind: !Ref 'AWS::Region'\n",
            ("snippets", "more.json"): json.dumps({"Resources": {"B": thing()}}).encode(),
        }
        inner = {"Name": "AWS::Include", "Parameters": {"Location": "s3://snippets/size.yaml"}}
        outer = {"Name": "AWS::Include", "Parameters": {"Location": {"Ref": "Where"}}}
        wanted = template(
            {"A": {"Type": "AWS::Test::Thing", "Properties": {"Fn::Transform": inner, "Size": 3}}},
            Transform=[outer],
            Parameters={
                "Where": {
                    "Type": "String",
                    "Default": "https://s3.amazonaws.com/snippets/more.json",
                }
            },
        )
        with pytest.raises(AwsError) as refused:
            await stand.call("CreateStack", StackName="s", TemplateBody=wanted)
        assert refused.value.message == "Requires capabilities : [CAPABILITY_AUTO_EXPAND]"
        await stand.create("s", wanted, Capabilities=["CAPABILITY_AUTO_EXPAND"])
        made = {name.split("-")[1]: one["props"] for name, one in world.things.items()}
        assert made == {"A": {"Size": 3, "Kind": "eu-west-1"}, "B": {}}

    in_stand(work)


def test_language_extensions_loop_and_count():
    async def work(stand: Stand, world: World) -> None:
        wanted = template(
            {
                "Fn::ForEach::Things": [
                    "Name",
                    {"Ref": "Names"},
                    {
                        "Thing${Name}": thing(
                            Kind={"Ref": "Name"}, Size={"Fn::Length": {"Ref": "Names"}}
                        )
                    },
                ]
            },
            Transform="AWS::LanguageExtensions",
            Parameters={"Names": {"Type": "CommaDelimitedList", "Default": "One,Two"}},
            Outputs={"Json": {"Value": {"Fn::ToJsonString": {"n": {"Ref": "Names"}}}}},
        )
        stack = await stand.create("s", wanted, Capabilities=["CAPABILITY_AUTO_EXPAND"])
        assert stack.status == "CREATE_COMPLETE"
        assert stack.outputs[0].value == '{"n":["One","Two"]}'
        assert sorted((o["props"]["Kind"], o["props"]["Size"]) for o in world.things.values()) == [
            ("One", 2),
            ("Two", 2),
        ]
        processed = await stand.call("GetTemplate", StackName="s", TemplateStage="Processed")
        assert sorted(json.loads(processed["TemplateBody"])["Resources"]) == [
            "ThingOne",
            "ThingTwo",
        ]

    in_stand(work)


def test_an_unknown_macro_is_refused_by_name():
    async def work(stand: Stand, world: World) -> None:
        wanted = template({"A": thing()}, Transform="MyMacro")
        with pytest.raises(AwsError, match="No transform named MyMacro found"):
            await stand.call(
                "CreateStack",
                StackName="s",
                TemplateBody=wanted,
                Capabilities=["CAPABILITY_AUTO_EXPAND"],
            )

    in_stand(work)


def test_conditions_leave_resources_and_outputs_out():
    async def work(stand: Stand, world: World) -> None:
        wanted = template(
            {
                "A": thing(Size={"Fn::If": ["Prod", 9, {"Ref": "AWS::NoValue"}]}),
                "B": {**thing(), "Condition": "Prod"},
            },
            Parameters={"Env": {"Type": "String", "Default": "test"}},
            Conditions={"Prod": {"Fn::Equals": [{"Ref": "Env"}, "prod"]}},
            Outputs={"O": {"Condition": "Prod", "Value": {"Ref": "B"}}},
        )
        stack = await stand.create("s", wanted)
        assert stack.outputs == ()
        assert [one["props"] for one in world.things.values()] == [{}]
        prod = [{"ParameterKey": "Env", "ParameterValue": "prod"}]
        stack = await stand.update("s", wanted, Parameters=prod)
        assert len(stack.outputs) == 1
        assert len(world.things) == 2

    in_stand(work)


def test_a_template_is_validated_and_summarised():
    async def work(stand: Stand, world: World) -> None:
        wanted = template(
            {"A": thing(), "R": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r"}}},
            Description="what it does",
            Metadata={"m": 1},
            Parameters={
                "P": {"Type": "Number", "Default": 1, "AllowedValues": [1, 2], "Description": "d"}
            },
        )
        found = await stand.call("ValidateTemplate", TemplateBody=wanted)
        assert found == {
            "Parameters": [
                {"ParameterKey": "P", "DefaultValue": "1", "NoEcho": False, "Description": "d"}
            ],
            "Description": "what it does",
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "CapabilitiesReason": (
                "The following resource(s) require capabilities: [AWS::IAM::Role]"
            ),
        }
        summary = await stand.call("GetTemplateSummary", TemplateBody=wanted)
        assert summary["ResourceTypes"] == ["AWS::IAM::Role", "AWS::Test::Thing"]
        assert summary["Parameters"][0]["ParameterConstraints"] == {"AllowedValues": ["1", "2"]}
        assert json.loads(summary["Metadata"]) == {"m": 1}
        assert summary["Version"] == "2010-09-09"
        sam = {"Transform": "AWS::Serverless-2016-10-31", "Resources": {"F": {"Type": "X::Y::Z"}}}
        summary = await stand.call("GetTemplateSummary", TemplateBody=sam)
        assert summary["DeclaredTransforms"] == ["AWS::Serverless-2016-10-31"]
        assert summary["Capabilities"] == ["CAPABILITY_AUTO_EXPAND"]

    in_stand(work)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({}, "Either Template URL or Template Body must be specified."),
        ({"TemplateBody": "x" * 60_000}, "Member must have length less than or equal to 51200"),
        ({"TemplateBody": {"Resources": {"A": {"Type": "No::Such::Type"}}}}, "Unrecognized"),
        (
            {"TemplateBody": {"Resources": {"A": thing(DependsOn="B"), "B": thing(DependsOn="A")}}},
            "Circular dependency between resources: ",
        ),
        (
            {"TemplateBody": "a: b", "TemplateURL": "https://s3.amazonaws.com/b/k"},
            "Cannot specify both",
        ),
    ],
)
def test_a_wrong_template_is_refused(request_, words):
    async def work(stand: Stand, world: World) -> None:
        with pytest.raises(AwsError, match=words):
            await stand.call("ValidateTemplate", **request_)

    in_stand(work)


def test_what_was_given_is_shown_as_it_was():
    async def work(stand: Stand, world: World) -> None:
        text = "# a comment\nResources:\n  A: {Type: AWS::Test::Thing}\n"
        answer = await stand.call("CreateStack", StackName="s", TemplateBody=text)
        await stand.settled(answer["StackId"])
        shown = await stand.call("GetTemplate", StackName="s")
        assert shown == {"TemplateBody": text, "StagesAvailable": ["Original", "Processed"]}

    in_stand(work)
