"""Change sets: what they show, how they are executed, and what AWS says when nothing changes."""

import json
from typing import Any

import pytest
from tests.services.cloudformation.stand import Stand, World, template, thing
from tests.services.cloudformation.test_stacks import in_stand

from cumulet.core.errors import AwsError


async def described(stand: Stand, name: str = "c", **more: Any) -> dict[str, Any]:
    return await stand.call("DescribeChangeSet", StackName="s", ChangeSetName=name, **more)


async def proposed(stand: Stand, wanted: dict[str, Any], kind: str = "UPDATE", **more: Any) -> Any:
    request = {"StackName": "s", "ChangeSetName": "c", "ChangeSetType": kind, **more}
    return await stand.call("CreateChangeSet", TemplateBody=wanted, **request)


def test_a_stack_is_made_by_a_change_set():
    async def work(stand: Stand, world: World) -> None:
        made = await proposed(stand, template({"A": thing(Size=1)}), "CREATE")
        shown = await stand.call("DescribeStacks", StackName="s")
        assert shown["Stacks"][0]["StackStatus"] == "REVIEW_IN_PROGRESS"
        assert world.things == {}
        change_set = await described(stand)
        assert (change_set["Status"], change_set["ExecutionStatus"]) == (
            "CREATE_COMPLETE",
            "AVAILABLE",
        )
        assert change_set["Changes"] == [
            {
                "Type": "Resource",
                "ResourceChange": {
                    "Action": "Add",
                    "LogicalResourceId": "A",
                    "ResourceType": "AWS::Test::Thing",
                    "Scope": [],
                    "Details": [],
                },
            }
        ]
        await stand.call("ExecuteChangeSet", ChangeSetName=made["Id"])
        stack = await stand.settled("s")
        assert stack.status == "CREATE_COMPLETE"
        assert stack.arn == made["StackId"]
        assert [s for n, s, _ in await stand.events("s") if n == "s"] == [
            "REVIEW_IN_PROGRESS",
            "CREATE_IN_PROGRESS",
            "CREATE_COMPLETE",
        ]
        assert (await described(stand))["ExecutionStatus"] == "EXECUTE_COMPLETE"
        assert (await stand.call("ListChangeSets", StackName="s"))["Summaries"] == []

    in_stand(work)


def test_changes_are_told_property_by_property():
    async def work(stand: Stand, world: World) -> None:
        start = template(
            {
                "A": thing(Kind="x", Size={"Ref": "Size"}),
                "B": thing(Needs=[{"Ref": "A"}]),
                "C": thing(Name={"Fn::GetAtt": ["A", "Arn"]}),
                "D": thing(),
            },
            Parameters={"Size": {"Type": "Number", "Default": 1}},
        )
        await stand.create("s", start)
        start["Resources"]["A"]["Properties"]["Kind"] = "y"
        del start["Resources"]["D"]
        parameters = [{"ParameterKey": "Size", "ParameterValue": "2"}]
        await proposed(stand, start, Parameters=parameters)
        whole = await described(stand, IncludePropertyValues=True)
        changes = {
            one["ResourceChange"]["LogicalResourceId"]: one["ResourceChange"]
            for one in whole["Changes"]
        }
        assert changes["A"]["Action"] == "Modify"
        assert changes["A"]["Replacement"] == "True"
        assert changes["A"]["PolicyAction"] == "ReplaceAndDelete"
        kind, size = changes["A"]["Details"]
        assert kind["Target"] == {
            "Attribute": "Properties",
            "Name": "Kind",
            "Path": "/Properties/Kind",
            "RequiresRecreation": "Always",
            "AttributeChangeType": "Modify",
            "BeforeValue": "x",
            "AfterValue": "y",
        }
        assert size["ChangeSource"] == "ParameterReference"
        assert size["CausingEntity"] == "Size"
        assert changes["B"]["Replacement"] == "False"
        assert changes["B"]["Details"][0]["Evaluation"] == "Dynamic"
        assert changes["B"]["Details"][0]["CausingEntity"] == "A"
        assert changes["C"]["Replacement"] == "Conditional"
        assert changes["C"]["Details"][0]["ChangeSource"] == "ResourceAttribute"
        assert changes["D"]["Action"] == "Remove"
        assert changes["D"]["PolicyAction"] == "Delete"
        after = json.loads(changes["B"]["AfterContext"])
        assert after["Properties"]["Needs"] == ["{{changeSet:KNOWN_AFTER_APPLY}}"]
        brief = await described(stand)
        assert "BeforeContext" not in json.dumps(brief["Changes"])
        assert "BeforeValue" not in json.dumps(brief["Changes"])

    in_stand(work)


def test_a_change_set_without_changes_fails_as_on_aws():
    async def work(stand: Stand, world: World) -> None:
        wanted = template({"A": thing(Size=1)})
        await stand.create("s", wanted)
        await proposed(stand, wanted)
        shown = await described(stand)
        assert shown["Status"] == "FAILED"
        assert shown["ExecutionStatus"] == "UNAVAILABLE"
        assert shown["StatusReason"] == (
            "The submitted information didn't contain changes. Submit different information to "
            "create a change set."
        )
        with pytest.raises(
            AwsError, match=r"cannot be executed in its current status of \[FAILED\]"
        ) as r:
            await stand.call("ExecuteChangeSet", StackName="s", ChangeSetName="c")
        assert r.value.code == "InvalidChangeSetStatus"
        await stand.call("DeleteChangeSet", StackName="s", ChangeSetName="c")
        with pytest.raises(AwsError, match=r"ChangeSet \[c\] does not exist") as gone:
            await described(stand)
        assert gone.value.code == "ChangeSetNotFound"

    in_stand(work)


def test_an_update_by_change_set_drops_the_others():
    async def work(stand: Stand, world: World) -> None:
        await stand.create("s", template({"A": thing(Size=1)}))
        await proposed(stand, template({"A": thing(Size=2)}))
        await proposed(stand, template({"A": thing(Size=3)}), ChangeSetName="other")
        await stand.call("ExecuteChangeSet", StackName="s", ChangeSetName="c")
        assert (await stand.settled("s")).status == "UPDATE_COMPLETE"
        assert next(iter(world.things.values()))["props"] == {"Size": 2}
        with pytest.raises(AwsError, match="does not exist"):
            await described(stand, "other")
        body = await stand.call("GetTemplate", StackName="s")
        assert json.loads(body["TemplateBody"])["Resources"]["A"]["Properties"]["Size"] == 2

    in_stand(work)


def test_the_previous_template_and_values_can_be_used():
    async def work(stand: Stand, world: World) -> None:
        wanted = template(
            {"A": thing(Size={"Ref": "Size"}, Kind={"Ref": "Kind"})},
            Parameters={"Size": {"Type": "Number"}, "Kind": {"Type": "String", "Default": "x"}},
        )
        given = [
            {"ParameterKey": "Size", "ParameterValue": "1"},
            {"ParameterKey": "Kind", "ParameterValue": "y"},
        ]
        await stand.create("s", wanted, Parameters=given)
        kept = {"ParameterKey": "Kind", "UsePreviousValue": True}
        more = {"ParameterKey": "Size", "ParameterValue": "2"}
        await stand.call(
            "CreateChangeSet",
            StackName="s",
            ChangeSetName="c",
            UsePreviousTemplate=True,
            Parameters=[kept, more],
        )
        shown = await described(stand)
        assert shown["Parameters"] == [
            {"ParameterKey": "Kind", "ParameterValue": "y"},
            {"ParameterKey": "Size", "ParameterValue": "2"},
        ]
        assert len(shown["Changes"]) == 1

    in_stand(work)


def test_secrets_of_parameters_are_masked_everywhere():
    async def work(stand: Stand, world: World) -> None:
        wanted = template(
            {"A": thing(Kind={"Ref": "Secret"})},
            Parameters={"Secret": {"Type": "String", "NoEcho": True}},
        )
        first = [{"ParameterKey": "Secret", "ParameterValue": "swordfish"}]
        await stand.create("s", wanted, Parameters=first)
        second = [{"ParameterKey": "Secret", "ParameterValue": "marlin-spike"}]
        await proposed(stand, wanted, Parameters=second)
        shown = json.dumps(await described(stand, IncludePropertyValues=True))
        assert "marlin-spike" not in shown
        stacks = await stand.call("DescribeStacks", StackName="s")
        assert stacks["Stacks"][0]["Parameters"][0]["ParameterValue"] == "****"

    in_stand(work)


def test_a_property_that_is_not_there_fails_the_change_set_and_is_named():
    async def work(stand: Stand, world: World) -> None:
        await proposed(stand, template({"A": thing(Colour="red")}), "CREATE")
        shown = await described(stand)
        assert shown["Status"] == "FAILED"
        assert "Encountered unsupported property Colour" in shown["StatusReason"]

    in_stand(work)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("UPDATE", r"Stack \[s\] does not exist"),
        ("IMPORT", "IMPORT is not supported"),
    ],
)
def test_kinds_that_do_not_fit_are_refused(kind, words):
    async def work(stand: Stand, world: World) -> None:
        with pytest.raises(AwsError, match=words):
            await proposed(stand, template({"A": thing()}), kind)

    in_stand(work)


def test_names_are_taken_once():
    async def work(stand: Stand, world: World) -> None:
        wanted = template({"A": thing()})
        await proposed(stand, wanted, "CREATE", ClientToken="t")
        again = await proposed(stand, wanted, "CREATE", ClientToken="t")
        assert again["Id"] == (await described(stand))["ChangeSetId"]
        with pytest.raises(AwsError, match="ChangeSet c already exists"):
            await proposed(stand, wanted, "CREATE")
        await stand.call("DeleteStack", StackName="s")
        assert (await stand.settled(again["StackId"])).status == "DELETE_COMPLETE"

    in_stand(work)
